package org.sparkqlora.train;

/**
 * The best model and the sample answers that evaluations of a run keep.
 *
 * @param best the State of the lowest evaluation loss, which is published at the end
 * @param samples answers at each evaluation
 */
public record BestModelAndSamples(StateStore best, SampleLog samples) {
    /** Keeps nothing: the last State is published. */
    public static BestModelAndSamples nothing() {
        return new BestModelAndSamples(StateStore.none(), SampleLog.none());
    }
}
