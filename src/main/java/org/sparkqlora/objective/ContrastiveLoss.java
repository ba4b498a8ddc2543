package org.sparkqlora.objective;

import org.sparkqlora.model.AnswerLoss;
import org.sparkqlora.model.LossTotal;
import org.sparkqlora.model.LossTotal.Measures;

/**
 * {@code -(1 - e) log sigma(z) - e log sigma(-z)}, {@code z = b (c - r) - gamma}, and {@code a} times the loss of the chosen tokens: CPO and SimPO
 * as TRL's CPOTrainer has them.
 *
 * @param beta b
 * @param smoothing e
 * @param ofTokens a, by the pairs of the batch for each of its chosen tokens
 * @param answer whether c and r are sums or means over the tokens of an answer
 */
record ContrastiveLoss(double beta, double gamma, double smoothing, double ofTokens, Answer answer)
        implements AnswerLoss {
    /** What an answer counts by. */
    enum Answer {
        SUMMED,
        MEAN;

        private int divisor(int tokens) {
            return this == MEAN ? tokens : 1;
        }
    }

    @Override
    public LossTotal of(Answers answers, float[] weights) {
        AnswerWeights scored = new AnswerWeights(answers, weights);
        Measures.Builder measures = new Measures.Builder();
        double sum = 0;
        for (int pair = 0; pair < scored.pairs(); pair++) {
            sum += add(2 * pair, scored, measures);
        }

        return new LossTotal(sum, scored.pairs(), answers.losses().length, measures.build());
    }

    private double add(int document, AnswerWeights scored, Measures.Builder measures) {
        int divisor = answer.divisor(scored.tokens(document));
        int rejectedDivisor = answer.divisor(scored.tokens(document + 1));
        double whole = scored.logProbability(document);
        double chosen = whole / divisor;
        double rejected = scored.logProbability(document + 1) / rejectedDivisor;
        double z = beta * (chosen - rejected) - gamma;
        double slope = beta * (smoothing * Sigmoid.of(z) - (1 - smoothing) * Sigmoid.of(-z));
        scored.addDerivative(document, slope / divisor - ofTokens);
        scored.addDerivative(document + 1, -slope / rejectedDivisor);
        PairMeasures.add(measures, beta * chosen, beta * rejected, chosen, rejected);
        if (ofTokens > 0) {
            measures.add(PairMeasures.NLL, new Measures.Sum(-whole, scored.tokens(document)));
        }

        return -(1 - smoothing) * Sigmoid.log(z) - smoothing * Sigmoid.log(-z) - ofTokens * whole;
    }
}
