package org.sparkqlora.objective;

import org.sparkqlora.model.loss.LossTotal.Measures;

/** The metrics of a pair, by TRL's names. */
final class PairMeasures {
    static final String CHOSEN_REWARD = "rewards/chosen";
    static final String REJECTED_REWARD = "rewards/rejected";
    static final String ACCURACY = "rewards/accuracies";
    static final String MARGIN = "rewards/margins";
    static final String CHOSEN_LOGPS = "logps/chosen";
    static final String REJECTED_LOGPS = "logps/rejected";
    static final String NLL = "nll_loss";

    private PairMeasures() {}

    /** Adds rewards and log-probabilities of a chosen and a rejected answer. */
    static void add(
            Measures.Builder measures,
            double chosenReward,
            double rejectedReward,
            double chosenLogps,
            double rejectedLogps) {
        measures.add(CHOSEN_REWARD, chosenReward)
                .add(REJECTED_REWARD, rejectedReward)
                .add(ACCURACY, chosenReward > rejectedReward ? 1 : 0)
                .add(MARGIN, chosenReward - rejectedReward)
                .add(CHOSEN_LOGPS, chosenLogps)
                .add(REJECTED_LOGPS, rejectedLogps);
    }
}
