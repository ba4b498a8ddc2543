package org.sparkqlora.objective;

/** The cross-entropy of the trained tokens, a mean over those of the step. */
public record SupervisedTuning() implements Objective {
    @Override
    public ObjectiveKind kind() {
        return ObjectiveKind.SFT;
    }
}
