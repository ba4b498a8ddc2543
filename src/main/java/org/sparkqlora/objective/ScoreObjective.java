package org.sparkqlora.objective;

import org.sparkqlora.model.loss.ScoreLoss;

/** A loss of the scores that a head gives to texts: the model gives them and takes the derivatives. */
public sealed interface ScoreObjective extends Objective permits RewardModeling, Classification {
    /** Outputs of the head for a text. */
    int outputs();

    /** Texts of an example. */
    int documents();

    /** The loss of the texts of a micro-batch, a mean over the examples of the step. */
    ScoreLoss loss();
}
