package org.sparkqlora.train;

import java.util.Optional;

/**
 * The best model and the sample answers that evaluations of a run keep.
 *
 * @param best the State of the lowest evaluation loss, which is published at the end; empty where the last one is
 * @param samples answers at each evaluation
 */
public record BestModelAndSamples(Optional<StateStore> best, SampleLog samples) {}
