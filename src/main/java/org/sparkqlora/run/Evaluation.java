package org.sparkqlora.run;

import java.util.Map;
import org.sparkqlora.model.LossTotal;
import org.sparkqlora.spark.prepare.PreparationCounts;

/**
 * The loss of a model over examples.
 *
 * @param total of all documents, added in the order of the rows
 * @param measures means over pairs or answers, by TRL's names; none of trained tokens
 * @param data what became of the examples
 */
public record Evaluation(LossTotal total, Map<String, Double> measures, PreparationCounts data) {}
