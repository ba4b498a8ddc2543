package org.sparkqlora.cli;

import java.util.List;
import org.sparkqlora.model.LossTotal;
import org.sparkqlora.spark.PreparationCounts;

/**
 * The loss of a model over examples.
 *
 * @param documents the loss of each document, in the order of the rows
 * @param data what became of the examples
 */
record Evaluation(List<LossTotal> documents, PreparationCounts data) {
    Evaluation {
        documents = List.copyOf(documents);
    }

    LossTotal total() {
        return LossTotal.sum(documents);
    }
}
