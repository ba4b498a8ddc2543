package org.sparkqlora.train.metrics;

import java.io.Serializable;

/**
 * Seconds of gradient tasks by {@link Phase}.
 *
 * @param waiting {@link Phase#WAIT}
 * @param loading {@link Phase#LOAD}
 * @param replaying {@link Phase#REPLAY}
 * @param reading {@link Phase#READ}
 * @param computing {@link Phase#COMPUTE}
 */
public record PhaseSeconds(double waiting, double loading, double replaying, double reading, double computing)
        implements Serializable {
    public static final PhaseSeconds ZERO = new PhaseSeconds(0, 0, 0, 0, 0);

    public double total() {
        return waiting + loading + replaying + reading + computing;
    }

    /** These seconds with so many of the computing ones as reading. */
    PhaseSeconds withReading(double seconds) {
        return new PhaseSeconds(waiting, loading, replaying, reading + seconds, computing - seconds);
    }

    public PhaseSeconds plus(PhaseSeconds other) {
        return new PhaseSeconds(
                waiting + other.waiting,
                loading + other.loading,
                replaying + other.replaying,
                reading + other.reading,
                computing + other.computing);
    }

    PhaseSeconds times(double factor) {
        return new PhaseSeconds(
                waiting * factor, loading * factor, replaying * factor, reading * factor, computing * factor);
    }
}
