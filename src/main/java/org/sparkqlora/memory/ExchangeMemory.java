package org.sparkqlora.memory;

/**
 * The memory that a process of a cluster takes for the exchange of gradients, outside Java's heap: the parts of its tasks' gradients until a
 * step ends, and its share of the sums of the last steps, for replicas that are behind.
 *
 * @param vectorBytes of a gradient
 * @param tasks of a process at once
 * @param executors their number
 */
public record ExchangeMemory(long vectorBytes, int tasks, int executors) {
    /** Executors that have each part of a sharded State, if there are as many. */
    public static final int OWNERS = 2;

    private static final int FEWEST_COPIES = 2;
    private static final int MOST_COPIES = 16;
    /** Executors that one copy serves. */
    private static final int READERS = 32;

    /** Steps that a replica replays. */
    public static final int MOST_STEPS = 16;

    /** Whoever is further behind takes a State, which is as much as three updates or less. */
    private static final int FEWEST_STEPS = 2;

    /** Of sums in a process, unless those of the fewest steps are more. */
    private static final long SUMS = 1L << 26;

    /** Processes of so many that keep a part of a sum, if there are as many: who added it, and some of those that read it. */
    public static int copies(int executors) {
        return Math.max(FEWEST_COPIES, Math.min(MOST_COPIES, executors / READERS));
    }

    /** Steps whose sums stay. */
    public int keptSteps() {
        return (int) Math.max(FEWEST_STEPS, Math.min(MOST_STEPS, SUMS / Math.max(1, sumBytes())));
    }

    /** At the peak: of a step that is added, too. */
    public long bytes() {
        return vectorBytes * tasks + (keptSteps() + 1) * sumBytes();
    }

    private long sumBytes() {
        return (long) Math.min(copies(executors), executors) * vectorBytes / executors;
    }
}
