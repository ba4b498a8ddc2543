package org.sparkqlora.objective;

import java.util.List;
import java.util.function.Function;
import org.sparkqlora.model.loss.AnswerLoss;
import org.sparkqlora.model.loss.AnswerLoss.Answers;
import org.sparkqlora.model.loss.LossTotal;
import org.sparkqlora.model.loss.LossTotal.Measures;
import org.sparkqlora.tokenizer.packing.TokenRow;

/**
 * CPO (arXiv 2401.08417) and SimPO (arXiv 2405.14734), as TRL's CPOTrainer has them: {@code -(1 - e) log sigma(z) - e log sigma(-z)},
 * {@code z = b (c - r) - gamma}, and {@code a} times the mean loss of the step's chosen tokens. Of CPO c and r are the log-probabilities of the
 * chosen and the rejected answer, of SimPO their means over the tokens.
 *
 * @param answer what an answer counts by
 * @param beta b
 * @param gamma the margin that is asked for
 * @param labelSmoothing e, the share of pairs that are thought to be the wrong way round
 * @param cpoAlpha a
 */
public record ContrastivePreference(Answer answer, double beta, double gamma, double labelSmoothing, double cpoAlpha)
        implements AnswerObjective {
    public ContrastivePreference {
        AnswerChecks.requirePositive("beta", beta);
        AnswerChecks.requireNotNegative("simpo-gamma", gamma);
        AnswerChecks.requireSmoothing(labelSmoothing);
        AnswerChecks.requireNotNegative("cpo-alpha", cpoAlpha);
    }

    /** The log-probability of an answer, or its mean over the tokens. */
    public enum Answer {
        SUMMED,
        MEAN;

        private int divisor(int tokens) {
            return this == MEAN ? tokens : 1;
        }
    }

    public static ContrastivePreference cpo(double beta, double labelSmoothing, double cpoAlpha) {
        return new ContrastivePreference(Answer.SUMMED, beta, 0, labelSmoothing, cpoAlpha);
    }

    public static ContrastivePreference simpo(double beta, double gamma, double labelSmoothing, double cpoAlpha) {
        return new ContrastivePreference(Answer.MEAN, beta, gamma, labelSmoothing, cpoAlpha);
    }

    @Override
    public ObjectiveKind kind() {
        return answer == Answer.MEAN ? ObjectiveKind.SIMPO : ObjectiveKind.CPO;
    }

    @Override
    public boolean needsBatchSums() {
        return cpoAlpha > 0;
    }

    @Override
    public Measures batchSums(List<TokenRow> rows, Function<List<TokenRow>, Answers> score) {
        return needsBatchSums() ? ChosenTokens.TRAINED.of(rows) : Measures.NONE;
    }

    @Override
    public AnswerLoss loss(Measures ofBatch) {
        return new Loss(this, needsBatchSums() ? cpoAlpha * ChosenTokens.pairsAToken(ofBatch) : 0);
    }

    /** @param ofTokens a, by the pairs of the batch for each of its chosen tokens */
    private record Loss(ContrastivePreference objective, double ofTokens) implements AnswerLoss {
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
            double beta = objective.beta();
            double smoothing = objective.labelSmoothing();
            int divisor = objective.answer().divisor(scored.tokens(document));
            int rejectedDivisor = objective.answer().divisor(scored.tokens(document + 1));
            double whole = scored.logProbability(document);
            double chosen = whole / divisor;
            double rejected = scored.logProbability(document + 1) / rejectedDivisor;
            double z = beta * (chosen - rejected) - objective.gamma();
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
}
