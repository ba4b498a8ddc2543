package org.sparkqlora.objective;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.sparkqlora.data.Labels;
import org.sparkqlora.model.loss.LossTotal;
import org.sparkqlora.model.loss.LossTotal.Measures;
import org.sparkqlora.model.loss.ScoreLoss;
import org.sparkqlora.model.loss.ScoreLoss.Scores;

/**
 * Sequence classification as transformers has it: the cross-entropy of one label, the mean binary cross-entropy of several, or the mean
 * squared error of numbers.
 */
public record Classification(Labels labels) implements ScoreObjective {
    @Override
    public ObjectiveKind kind() {
        return ObjectiveKind.CLASSIFY;
    }

    @Override
    public int outputs() {
        return labels.outputs();
    }

    @Override
    public int documents() {
        return 1;
    }

    @Override
    public ScoreLoss loss() {
        return (scores, derivatives) -> {
            Measures.Builder measures = new Measures.Builder();
            double sum = 0;
            for (int document = 0; document < scores.documents(); document++) {
                float[] own = new float[outputs()];
                sum += switch (labels.problem()) {
                    case SINGLE_LABEL_CLASSIFICATION -> crossEntropy(document, scores, own, measures);
                    case MULTI_LABEL_CLASSIFICATION -> binaryCrossEntropy(document, scores, own, measures);
                    case REGRESSION -> squaredError(document, scores, own, measures);
                };
                System.arraycopy(own, 0, derivatives, document * outputs(), own.length);
            }

            long tokens = Arrays.stream(scores.tokens()).asLongStream().sum();
            return new LossTotal(sum, scores.documents(), tokens, measures.build());
        };
    }

    @Override
    public Map<String, Double> metrics(Measures sums) {
        return switch (labels.problem()) {
            case SINGLE_LABEL_CLASSIFICATION, MULTI_LABEL_CLASSIFICATION -> new ClassReport(labels, sums).averages();
            case REGRESSION -> regression(sums);
        };
    }

    private double crossEntropy(int document, Scores scores, float[] derivatives, Measures.Builder measures) {
        int wanted = (int) scores.value(document, 0);
        int best = 0;
        for (int i = 1; i < outputs(); i++) {
            best = scores.score(document, i) > scores.score(document, best) ? i : best;
        }

        double max = scores.score(document, best);
        double sum = 0;
        for (int i = 0; i < outputs(); i++) {
            sum += Math.exp(scores.score(document, i) - max);
        }

        for (int i = 0; i < outputs(); i++) {
            double probability = Math.exp(scores.score(document, i) - max) / sum;
            derivatives[i] = (float) (probability - (i == wanted ? 1 : 0));
        }

        ClassReport.add(measures, best == wanted);
        ClassReport.addTrue(measures, labels, wanted, best == wanted);
        ClassReport.addPredicted(measures, labels, best, best == wanted);
        return Math.log(sum) + max - scores.score(document, wanted);
    }

    private double binaryCrossEntropy(int document, Scores scores, float[] derivatives, Measures.Builder measures) {
        double sum = 0;
        boolean all = true;
        for (int i = 0; i < outputs(); i++) {
            double score = scores.score(document, i);
            boolean applies = scores.value(document, i) == 1;
            boolean predicted = score > 0;
            sum -= Sigmoid.log(applies ? score : -score);
            derivatives[i] = (float) ((Sigmoid.of(score) - (applies ? 1 : 0)) / outputs());
            all &= applies == predicted;
            if (applies) {
                ClassReport.addTrue(measures, labels, i, predicted);
            }

            if (predicted) {
                ClassReport.addPredicted(measures, labels, i, applies);
            }
        }

        ClassReport.add(measures, all);
        return sum / outputs();
    }

    private double squaredError(int document, Scores scores, float[] derivatives, Measures.Builder measures) {
        double sum = 0;
        for (int i = 0; i < outputs(); i++) {
            double wanted = scores.value(document, i);
            double error = scores.score(document, i) - wanted;
            sum += error * error;
            derivatives[i] = (float) (2 * error / outputs());
            measures.add("mse", error * error)
                    .add("mae", Math.abs(error))
                    .add("label", wanted)
                    .add("label_squared", wanted * wanted);
        }

        return sum / outputs();
    }

    /** Mean squared and absolute error, and the share of the variance that is explained. */
    private static Map<String, Double> regression(Measures sums) {
        double mean = sums.mean("label");
        double variance = sums.mean("label_squared") - mean * mean;
        Map<String, Double> metrics = new LinkedHashMap<>();
        metrics.put("mse", sums.mean("mse"));
        metrics.put("mae", sums.mean("mae"));
        metrics.put("r2", 1 - sums.mean("mse") / variance);
        return metrics;
    }
}
