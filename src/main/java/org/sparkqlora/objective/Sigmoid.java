package org.sparkqlora.objective;

/** The logistic function and its logarithm, without overflow. */
final class Sigmoid {
    private Sigmoid() {}

    /** {@code 1 / (1 + e^-x)}. */
    static double of(double x) {
        double small = Math.exp(-Math.abs(x));
        return x >= 0 ? 1 / (1 + small) : small / (1 + small);
    }

    /** {@code log(1 / (1 + e^-x))}; its derivative is {@code 1 - of(x)}. */
    static double log(double x) {
        return Math.min(x, 0) - Math.log1p(Math.exp(-Math.abs(x)));
    }
}
