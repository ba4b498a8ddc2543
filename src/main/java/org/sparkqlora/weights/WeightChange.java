package org.sparkqlora.weights;

import java.util.function.Supplier;

/**
 * A change of some weights of a model, to be computed only where its result is not kept already.
 *
 * @param name equal for equal changes only
 * @param weights the new values
 */
public record WeightChange(String name, Supplier<ChangedWeights> weights) {}
