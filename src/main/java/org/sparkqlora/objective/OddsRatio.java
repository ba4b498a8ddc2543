package org.sparkqlora.objective;

import java.util.List;
import java.util.function.Function;
import org.sparkqlora.model.loss.AnswerLoss;
import org.sparkqlora.model.loss.AnswerLoss.Answers;
import org.sparkqlora.model.loss.AnswerLoss.Predicted;
import org.sparkqlora.model.loss.LossTotal;
import org.sparkqlora.model.loss.LossTotal.Measures;
import org.sparkqlora.tokenizer.packing.TokenRow;

/**
 * ORPO (arXiv 2403.07691): the mean loss of the step's chosen tokens, prompts included, and for each pair
 * {@code -b log sigma(o)}, {@code o = (c - r) - (log(1 - e^c) - log(1 - e^r))}, where c and r are mean log-probabilities of the tokens of
 * the answers.
 *
 * @param beta b
 */
public record OddsRatio(double beta) implements AnswerObjective {
    public OddsRatio {
        AnswerChecks.requirePositive("beta", beta);
    }

    @Override
    public ObjectiveKind kind() {
        return ObjectiveKind.ORPO;
    }

    @Override
    public boolean needsBatchSums() {
        return true;
    }

    @Override
    public Measures batchSums(List<TokenRow> rows, Function<List<TokenRow>, Answers> score) {
        return ChosenTokens.WHOLE.of(rows);
    }

    @Override
    public AnswerLoss loss(Measures ofBatch) {
        return new Loss(beta, ChosenTokens.pairsAToken(ofBatch));
    }

    /** @param ofTokens pairs of the batch for each of its chosen tokens */
    private record Loss(double beta, double ofTokens) implements AnswerLoss {
        @Override
        public Predicted predicted() {
            return Predicted.CHOSEN_WHOLE;
        }

        @Override
        public LossTotal of(Answers answers, float[] weights) {
            AnswerWeights scored = new AnswerWeights(answers, weights);
            Measures.Builder measures = new Measures.Builder();
            double sum = 0;
            long tokens = 0;
            for (int pair = 0; pair < scored.pairs(); pair++) {
                sum += add(2 * pair, scored, measures);
                tokens += scored.wholeTokens(2 * pair) + scored.tokens(2 * pair + 1);
            }

            return new LossTotal(sum, scored.pairs(), tokens, measures.build());
        }

        private double add(int document, AnswerWeights scored, Measures.Builder measures) {
            int tokens = scored.tokens(document);
            int rejectedTokens = scored.tokens(document + 1);
            double chosen = scored.logProbability(document) / tokens;
            double rejected = scored.logProbability(document + 1) / rejectedTokens;
            double logOdds = chosen - rejected - (logOneLess(chosen) - logOneLess(rejected));
            double slope = -beta * Sigmoid.of(-logOdds);
            scored.addDerivative(document, slope * slopeOfOdds(chosen) / tokens);
            scored.addDerivative(document + 1, -slope * slopeOfOdds(rejected) / rejectedTokens);
            scored.addWhole(document, ofTokens);
            PairMeasures.add(measures, beta * chosen, beta * rejected, chosen, rejected);
            measures.add(PairMeasures.NLL, new Measures.Sum(scored.wholeLoss(document), scored.wholeTokens(document)))
                    .add("log_odds_ratio", Sigmoid.log(logOdds))
                    .add("log_odds_chosen", logOdds);
            return ofTokens * scored.wholeLoss(document) - beta * Sigmoid.log(logOdds);
        }

        /** {@code log(1 - e^x)} of a negative x. */
        private static double logOneLess(double x) {
            return x > -Math.log(2) ? Math.log(-Math.expm1(x)) : Math.log1p(-Math.exp(x));
        }

        /** The derivative of {@code x - log(1 - e^x)}: {@code 1 / (1 - e^x)}. */
        private static double slopeOfOdds(double x) {
            return -1 / Math.expm1(x);
        }
    }
}
