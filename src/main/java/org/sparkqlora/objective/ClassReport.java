package org.sparkqlora.objective;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.sparkqlora.data.Labels;
import org.sparkqlora.model.loss.LossTotal.Measures;

/**
 * Precision, recall and F1 of each label, as scikit-learn's {@code classification_report} has them: 0 where there is nothing to divide by.
 *
 * @param sums of the texts, each added by the methods here
 */
public record ClassReport(Labels labels, Measures sums) {
    private static final String ACCURACY = "accuracy";
    private static final String TRUE = "true/";
    private static final String PREDICTED = "predicted/";

    /** @param support texts that have the label */
    public record OfLabel(String name, double precision, double recall, double f1, long support) {}

    /** Adds whether a text got exactly its labels. */
    static void add(Measures.Builder measures, boolean right) {
        measures.add(ACCURACY, right ? 1 : 0);
    }

    /** Adds a label that a text has, and whether it got it. */
    static void addTrue(Measures.Builder measures, Labels labels, int label, boolean found) {
        measures.add(TRUE + labels.names().get(label), found ? 1 : 0);
    }

    /** Adds a label that a text got, and whether it has it. */
    static void addPredicted(Measures.Builder measures, Labels labels, int label, boolean right) {
        measures.add(PREDICTED + labels.names().get(label), right ? 1 : 0);
    }

    /** Each label's, in the order of their indices. */
    public List<OfLabel> ofLabels() {
        return IntStream.range(0, labels.outputs()).mapToObj(this::ofLabel).toList();
    }

    private OfLabel ofLabel(int label) {
        String name = labels.names().get(label);
        double precision = share(sums.of(PREDICTED + name));
        double recall = share(sums.of(TRUE + name));
        double f1 = precision + recall == 0 ? 0 : 2 * precision * recall / (precision + recall);
        return new OfLabel(
                name, precision, recall, f1, Math.round(sums.of(TRUE + name).count()));
    }

    private static double share(Measures.Sum sum) {
        return sum.count() == 0 ? 0 : sum.sum() / sum.count();
    }

    /** Accuracy, and the means over the labels that a text has or got. */
    Map<String, Double> averages() {
        List<OfLabel> seen = ofLabels().stream()
                .filter(label ->
                        label.support() > 0 || sums.of(PREDICTED + label.name()).count() > 0)
                .toList();
        Map<String, Double> averages = new LinkedHashMap<>();
        averages.put(ACCURACY, sums.mean(ACCURACY));
        averages.put(
                "precision",
                seen.stream().mapToDouble(OfLabel::precision).average().orElse(0));
        averages.put(
                "recall", seen.stream().mapToDouble(OfLabel::recall).average().orElse(0));
        averages.put("f1", seen.stream().mapToDouble(OfLabel::f1).average().orElse(0));
        return averages;
    }
}
