package org.sparkqlora.train;

/**
 * What a run keeps of its evaluations.
 *
 * @param best the State of the lowest loss, which is then what the run comes to
 * @param samples answers at each evaluation
 */
public record Keeping(StateStore best, SampleLog samples) {
    /** Nothing: the run comes to its last State. */
    public static Keeping nothing() {
        return new Keeping(StateStore.none(), SampleLog.none());
    }
}
