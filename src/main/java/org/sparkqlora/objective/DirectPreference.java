package org.sparkqlora.objective;

import java.io.Serializable;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.model.loss.AnswerLoss;
import org.sparkqlora.model.loss.AnswerLoss.Answers;
import org.sparkqlora.model.loss.LossTotal;
import org.sparkqlora.model.loss.LossTotal.Measures;
import org.sparkqlora.objective.DpoLoss.Pair;
import org.sparkqlora.objective.DpoLoss.Term;
import org.sparkqlora.tokenizer.packing.TokenRow;

/**
 * DPO and its relatives: a weighted sum of losses of a pair's scores, a mean over the pairs of the step. A loss named {@code sft} is the
 * mean cross-entropy of the step's chosen tokens (RPO, arXiv 2404.19733).
 *
 * @param losses with their weights, one at least
 * @param beta how much the scores count
 * @param labelSmoothing share of pairs that are thought to be the wrong way round
 * @param ldAlpha factor on the log-probabilities of the tokens that the longer answer has more (LD-DPO, arXiv 2409.06411); null for none
 * @param from the model that answers are measured from
 */
public record DirectPreference(
        List<Weighted> losses,
        double beta,
        double labelSmoothing,
        @Nullable Double ldAlpha,
        Reference from) implements AnswerObjective {
    /** The loss of chosen tokens. */
    public static final String SFT = "sft";

    /** A loss by its name, with its weight. */
    public record Weighted(String loss, double weight) implements Serializable {
        public Weighted {
            if (!loss.equals(SFT)) {
                DpoLoss.parse(loss);
            }

            if (!Double.isFinite(weight)) {
                throw new BadInputException(
                        "Cannot weigh the loss %s with %s: expected a number".formatted(loss, weight));
            }
        }

        private boolean isSft() {
            return loss.equals(SFT);
        }
    }

    public DirectPreference {
        losses = List.copyOf(losses);
        if (losses.isEmpty()) {
            throw new BadInputException("Cannot train on preferences without a loss: expected one such as sigmoid");
        }

        AnswerChecks.requirePositive("beta", beta);
        AnswerChecks.requireSmoothing(labelSmoothing);
        boolean exo = losses.stream().anyMatch(each -> each.loss().equals(DpoLoss.EXO_PAIR.optionName()));
        if (exo && labelSmoothing == 0) {
            throw new BadInputException(
                    "Cannot take the loss exo_pair with label smoothing 0, whose logarithm it needs: expected 0.001, for instance");
        }

        if (ldAlpha != null && !(ldAlpha >= 0 && ldAlpha <= 1)) {
            throw new BadInputException("Cannot take ld-alpha %s: expected 0 to 1".formatted(ldAlpha));
        }
    }

    @Override
    public ObjectiveKind kind() {
        return ObjectiveKind.DPO;
    }

    @Override
    public Optional<Reference> reference() {
        return Optional.of(from);
    }

    @Override
    public boolean needsBatchSums() {
        return losses.stream().anyMatch(Weighted::isSft);
    }

    @Override
    public Measures batchSums(List<TokenRow> rows, Function<List<TokenRow>, Answers> score) {
        return needsBatchSums() ? ChosenTokens.TRAINED.of(rows) : Measures.NONE;
    }

    @Override
    public AnswerLoss loss(Measures ofBatch) {
        double ofTokens = needsBatchSums() ? ChosenTokens.pairsAToken(ofBatch) : 0;
        return AnswerLoss.measuringTokens((answers, weights) -> {
            AnswerWeights whole = new AnswerWeights(answers, weights);
            AnswerWeights scored = scored(answers, weights);
            Measures.Builder measures = new Measures.Builder();
            double sum = 0;
            for (int pair = 0; pair < scored.pairs(); pair++) {
                sum += add(pair, scored, measures) + addSft(pair, whole, ofTokens);
                PairMeasures.addTokens(measures, answers, 2 * pair, true);
                PairMeasures.addTokens(measures, answers, 2 * pair + 1, false);
                PairMeasures.addAccuracy(measures, answers, 2 * pair);
            }

            return new LossTotal(sum, scored.pairs(), answers.losses().length, measures.build());
        });
    }

    private AnswerWeights scored(Answers answers, float[] weights) {
        return new AnswerWeights(
                answers,
                weights,
                ldAlpha == null ? 1 : ldAlpha,
                kind().examples().valuesOfDocument());
    }

    @Override
    public double[] logProbabilities(TokenRow row, Function<List<TokenRow>, Answers> score) {
        AnswerWeights scored = scored(score.apply(List.of(row)), new float[0]);
        return IntStream.range(0, scored.answers().documents())
                .mapToDouble(scored::logProbability)
                .toArray();
    }

    private double add(int number, AnswerWeights scored, Measures.Builder measures) {
        int chosen = 2 * number;
        int rejected = chosen + 1;
        Pair pair =
                new Pair(scored.score(chosen), scored.score(rejected), scored.tokens(chosen), scored.tokens(rejected));
        double sum = 0;
        for (Weighted each : losses) {
            if (!each.isSft()) {
                Term term = DpoLoss.parse(each.loss()).of(pair, beta, labelSmoothing);
                sum += each.weight() * term.loss();
                scored.addDerivative(chosen, each.weight() * term.chosen());
                scored.addDerivative(rejected, each.weight() * term.rejected());
            }
        }

        PairMeasures.add(
                measures,
                beta * pair.chosen(),
                beta * pair.rejected(),
                scored.logProbability(chosen),
                scored.logProbability(rejected));
        return sum;
    }

    /** @param ofTokens pairs of the batch for each of its chosen tokens */
    private double addSft(int number, AnswerWeights whole, double ofTokens) {
        double sum = 0;
        for (Weighted each : losses) {
            if (each.isSft()) {
                double weight = each.weight() * ofTokens;
                sum -= weight * whole.logProbability(2 * number);
                whole.addDerivative(2 * number, -weight);
            }
        }

        return sum;
    }
}
