package org.sparkqlora.objective;

import org.sparkqlora.model.loss.AnswerLoss.Answers;
import org.sparkqlora.model.loss.LossTotal.Measures;
import org.sparkqlora.model.loss.LossTotal.Measures.Sum;
import org.sparkqlora.model.loss.TokenMeasures;

/** The metrics of a pair, by TRL's names. */
final class PairMeasures {
    static final String CHOSEN_REWARD = "rewards/chosen";
    static final String REJECTED_REWARD = "rewards/rejected";
    static final String ACCURACY = "rewards/accuracies";
    static final String MARGIN = "rewards/margins";
    static final String CHOSEN_LOGPS = "logps/chosen";
    static final String REJECTED_LOGPS = "logps/rejected";
    static final String NLL = "nll_loss";

    /** Of the likeliest tokens the share that the chosen answers have. */
    private static final String TOKEN_ACCURACY = "mean_token_accuracy";

    private static final String ENTROPY = "entropy";

    private PairMeasures() {}

    /** Adds what is measured of the tokens of the answer in {@code document}, if it is. */
    static void addTokens(Measures.Builder measures, Answers answers, int document, boolean chosen) {
        TokenMeasures of = answers.measures();
        if (of != null) {
            measures.add(ENTROPY, sum(of.entropies(), answers, document))
                    .add(chosen ? "logits/chosen" : "logits/rejected", sum(of.meanLogits(), answers, document));
        }
    }

    /** Adds the share of tokens of the answer in {@code document} that are the likeliest, if it is measured. */
    static void addAccuracy(Measures.Builder measures, Answers answers, int document) {
        TokenMeasures of = answers.measures();
        if (of != null) {
            measures.add(TOKEN_ACCURACY, sum(of.best(), answers, document));
        }
    }

    private static Sum sum(float[] values, Answers answers, int document) {
        double sum = 0;
        for (int i = answers.from(document); i < answers.to(document); i++) {
            sum += values[i];
        }

        return new Sum(sum, answers.tokens(document));
    }

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
