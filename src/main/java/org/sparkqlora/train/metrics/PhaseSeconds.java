package org.sparkqlora.train.metrics;

import java.io.Serializable;

/**
 * Seconds of gradient tasks by {@link Phase}.
 *
 * @param waiting {@link Phase#WAIT}
 * @param loading {@link Phase#LOAD}
 * @param replaying {@link Phase#REPLAY}
 * @param computing {@link Phase#COMPUTE}
 */
public record PhaseSeconds(double waiting, double loading, double replaying, double computing) implements Serializable {
    public static final PhaseSeconds ZERO = new PhaseSeconds(0, 0, 0, 0);

    public double total() {
        return waiting + loading + replaying + computing;
    }

    PhaseSeconds plus(PhaseSeconds other) {
        return new PhaseSeconds(
                waiting + other.waiting,
                loading + other.loading,
                replaying + other.replaying,
                computing + other.computing);
    }

    PhaseSeconds times(double factor) {
        return new PhaseSeconds(waiting * factor, loading * factor, replaying * factor, computing * factor);
    }
}
