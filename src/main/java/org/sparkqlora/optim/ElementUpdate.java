package org.sparkqlora.optim;

/** One step's arithmetic on a run of elements, each by itself. */
@FunctionalInterface
interface ElementUpdate {
    /** Moves the first {@code count} parameters and their state; {@code states[s]} lies parallel to the parameters. */
    void apply(float[] parameters, float[] gradient, float[][] states, int count);
}
