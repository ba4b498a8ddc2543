package org.sparkqlora.run.evaluate;

import java.util.List;
import java.util.Map;
import org.sparkqlora.model.loss.LossTotal;
import org.sparkqlora.objective.ClassReport.OfLabel;
import org.sparkqlora.spark.prepare.PreparationCounts;

/**
 * The loss of a model over examples.
 *
 * @param total of all documents, added in the order of the rows
 * @param measures means over pairs, answers or texts, by TRL's names; none of trained tokens
 * @param labels how each label was told from others, of a classification
 * @param data what became of the examples
 */
public record Evaluation(LossTotal total, Map<String, Double> measures, List<OfLabel> labels, PreparationCounts data) {}
