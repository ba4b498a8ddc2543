package org.sparkqlora.objective;

import java.util.LinkedHashMap;
import java.util.Map;
import org.sparkqlora.model.loss.LossTotal;
import org.sparkqlora.model.loss.LossTotal.Measures;
import org.sparkqlora.model.loss.ScoreLoss;
import org.sparkqlora.model.loss.ScoreLoss.Scores;

/**
 * A reward model (Bradley-Terry, arXiv 2203.02155): {@code -log sigma(r_c - r_r - m) + a (r_c + r_r)^2}, r the reward of the chosen and of the
 * rejected answer with its prompt, m the margin of the pair.
 *
 * @param center a: draws the mean reward of a pair to 0 (arXiv 2312.09244)
 */
public record RewardModeling(double center) implements ScoreObjective {
    private static final String REWARD = "mean_reward";

    public RewardModeling {
        AnswerChecks.requireNotNegative("center-rewards-coefficient", center);
    }

    @Override
    public ObjectiveKind kind() {
        return ObjectiveKind.REWARD;
    }

    @Override
    public int outputs() {
        return 1;
    }

    @Override
    public int documents() {
        return 2;
    }

    @Override
    public ScoreLoss loss() {
        return this::total;
    }

    @Override
    public Map<String, Double> metrics(Measures sums) {
        Map<String, Double> metrics = new LinkedHashMap<>();
        metrics.put("min_reward", sums.of(REWARD).min());
        metrics.putAll(ScoreObjective.super.metrics(sums));
        metrics.put("max_reward", sums.of(REWARD).max());
        return metrics;
    }

    private LossTotal total(Scores scores, float[] derivatives) {
        Measures.Builder measures = new Measures.Builder();
        double sum = 0;
        long tokens = 0;
        for (int chosen = 0; chosen < scores.documents(); chosen += 2) {
            sum += add(chosen, scores, derivatives, measures);
            tokens += scores.tokens()[chosen] + scores.tokens()[chosen + 1];
        }

        return new LossTotal(sum, scores.documents() / 2, tokens, measures.build());
    }

    private double add(int document, Scores scores, float[] derivatives, Measures.Builder measures) {
        double chosen = scores.score(document, 0);
        double rejected = scores.score(document + 1, 0);
        double z = chosen - rejected - scores.value(document, 0);
        double both = chosen + rejected;
        double slope = Sigmoid.of(-z);
        derivatives[document] = (float) (-slope + 2 * center * both);
        derivatives[document + 1] = (float) (slope + 2 * center * both);
        measures.add(REWARD, chosen)
                .add(REWARD, rejected)
                .add("accuracy", chosen > rejected ? 1 : 0)
                .add("margin", chosen - rejected);
        return -Sigmoid.log(z) + center * both * both;
    }
}
