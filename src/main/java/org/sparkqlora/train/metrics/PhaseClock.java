package org.sparkqlora.train.metrics;

/** Splits the time of one task into phases: each lasts until the next is entered. For one thread. */
public final class PhaseClock {
    private static final double NANOS = 1e9;

    private final long[] nanos = new long[Phase.values().length];
    private Phase current;
    private long since;

    private PhaseClock(Phase first) {
        this.current = first;
        this.since = System.nanoTime();
    }

    public static PhaseClock startIn(Phase first) {
        return new PhaseClock(first);
    }

    public void enter(Phase next) {
        long now = System.nanoTime();
        nanos[current.ordinal()] += now - since;
        current = next;
        since = now;
    }

    /** Until now. */
    public PhaseSeconds seconds() {
        enter(current);
        return new PhaseSeconds(of(Phase.WAIT), of(Phase.LOAD), of(Phase.REPLAY), of(Phase.READ), of(Phase.COMPUTE));
    }

    private double of(Phase phase) {
        return nanos[phase.ordinal()] / NANOS;
    }
}
