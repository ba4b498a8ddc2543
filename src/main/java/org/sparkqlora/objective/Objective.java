package org.sparkqlora.objective;

import java.io.Serializable;

/** What a run trains for. A value: equal objectives give equal gradients. */
public sealed interface Objective extends Serializable permits SupervisedTuning, AnswerObjective {
    /** The cross-entropy of trained tokens. */
    Objective SFT = new SupervisedTuning();

    /** Which objective. */
    ObjectiveKind kind();

    /** Whether the gradients of a step's shards need sums over the whole batch, which are made before. */
    default boolean needsBatchSums() {
        return false;
    }
}
