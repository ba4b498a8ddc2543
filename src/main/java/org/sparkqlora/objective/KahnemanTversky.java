package org.sparkqlora.objective;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.sparkqlora.model.loss.AnswerLoss;
import org.sparkqlora.model.loss.AnswerLoss.Answers;
import org.sparkqlora.model.loss.LossTotal;
import org.sparkqlora.model.loss.LossTotal.Measures;
import org.sparkqlora.tokenizer.packing.TokenRow;

/**
 * KTO: {@code w_d (1 - sigma(b (s - kl)))} for a desirable answer, {@code w_u (1 - sigma(b (kl - s)))} for another, a mean over the answers of
 * the step. s = log pi - log ref; kl is the mean of s over prompts with an answer that is not theirs, not below 0, over the step's
 * batch; no gradient goes through it.
 *
 * @param loss whether kl is taken
 * @param beta b
 * @param desirableWeight w_d
 * @param undesirableWeight w_u
 * @param from the model that answers are measured from
 */
public record KahnemanTversky(
        UnpairedLoss loss, double beta, double desirableWeight, double undesirableWeight, Reference from)
        implements AnswerObjective {
    private static final String KL = "kl";
    private static final int MEMBERS = 2;

    public KahnemanTversky {
        AnswerChecks.requirePositive("beta", beta);
        AnswerChecks.requireNotNegative("desirable weight", desirableWeight);
        AnswerChecks.requireNotNegative("undesirable weight", undesirableWeight);
    }

    @Override
    public ObjectiveKind kind() {
        return ObjectiveKind.KTO;
    }

    @Override
    public Optional<Reference> reference() {
        return Optional.of(from);
    }

    @Override
    public int documents() {
        return 1;
    }

    @Override
    public TokenRow trained(TokenRow row) {
        return row.only(document -> document % MEMBERS == 0);
    }

    @Override
    public boolean needsBatchSums() {
        return loss == UnpairedLoss.KTO;
    }

    @Override
    public Measures batchSums(List<TokenRow> rows, Function<List<TokenRow>, Answers> score) {
        if (!needsBatchSums()) {
            return Measures.NONE;
        }

        List<TokenRow> mismatched = rows.stream()
                .map(row -> row.only(document -> document % MEMBERS == 1))
                .toList();
        Answers answers = score.apply(mismatched);
        AnswerWeights scored = scored(answers, new float[0]);
        Measures.Builder sums = new Measures.Builder();
        for (int document = 0; document < answers.documents(); document++) {
            sums.add(KL, scored.score(document));
        }

        return sums.build();
    }

    @Override
    public AnswerLoss loss(Measures ofBatch) {
        double kl = needsBatchSums() ? Math.max(0, ofBatch.mean(KL)) : 0;
        return AnswerLoss.measuringTokens((answers, weights) -> {
            AnswerWeights scored = scored(answers, weights);
            Measures.Builder measures = new Measures.Builder();
            double sum = 0;
            for (int document = 0; document < answers.documents(); document++) {
                sum += add(document, kl, scored, measures);
                PairMeasures.addTokens(measures, answers, document, answers.value(document, 0) != 0);
            }

            return new LossTotal(sum, answers.documents(), answers.losses().length, measures.build());
        });
    }

    private AnswerWeights scored(Answers answers, float[] weights) {
        return new AnswerWeights(answers, weights, 1, kind().examples().valuesOfDocument());
    }

    /** Answers and mismatched answers pass apart, as they do in training. */
    @Override
    public double[] logProbabilities(TokenRow row, Function<List<TokenRow>, Answers> score) {
        double[] found = new double[row.documents().size()];
        for (int member = 0; member < MEMBERS; member++) {
            int of = member;
            AnswerWeights scored =
                    scored(score.apply(List.of(row.only(document -> document % MEMBERS == of))), new float[0]);
            for (int d = 0; d < scored.answers().documents(); d++) {
                found[MEMBERS * d + of] = scored.logProbability(d);
            }
        }

        return found;
    }

    private double add(int document, double kl, AnswerWeights scored, Measures.Builder measures) {
        boolean desirable = scored.answers().value(document, 0) != 0;
        double sign = desirable ? 1 : -1;
        double weight = desirable ? desirableWeight : undesirableWeight;
        double score = scored.score(document);
        double better = Sigmoid.of(sign * beta * (score - kl));
        scored.addDerivative(document, -weight * sign * beta * better * (1 - better));
        measures.add(KL, kl)
                .add(desirable ? PairMeasures.CHOSEN_REWARD : PairMeasures.REJECTED_REWARD, beta * score)
                .add(
                        desirable ? PairMeasures.CHOSEN_LOGPS : PairMeasures.REJECTED_LOGPS,
                        scored.logProbability(document));
        return weight * (1 - better);
    }

    @Override
    public Map<String, Double> metrics(Measures sums) {
        Map<String, Double> means = new LinkedHashMap<>(AnswerObjective.super.metrics(sums));
        Double chosen = means.get(PairMeasures.CHOSEN_REWARD);
        Double rejected = means.get(PairMeasures.REJECTED_REWARD);
        if (chosen != null && rejected != null) {
            means.put(PairMeasures.MARGIN, chosen - rejected);
        }

        return means;
    }
}
