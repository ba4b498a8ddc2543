package org.sparkqlora.train;

/**
 * What a run keeps of its evaluations.
 *
 * @param best the State of the lowest loss, which is then what the run comes to
 * @param samples answers at each evaluation
 */
public record BestModelAndSamples(StateStore best, SampleLog samples) {
    /** Nothing: the run comes to its last State. */
    public static BestModelAndSamples nothing() {
        return new BestModelAndSamples(StateStore.none(), SampleLog.none());
    }
}
