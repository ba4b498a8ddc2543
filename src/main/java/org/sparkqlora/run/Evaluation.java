package org.sparkqlora.run;

import org.sparkqlora.model.LossTotal;
import org.sparkqlora.spark.prepare.PreparationCounts;

/**
 * The loss of a model over examples.
 *
 * @param total of all documents, added in the order of the rows
 * @param data what became of the examples
 */
public record Evaluation(LossTotal total, PreparationCounts data) {}
