package org.sparkqlora.run;

import java.util.List;
import org.sparkqlora.model.LossTotal;
import org.sparkqlora.spark.prepare.PreparationCounts;

/**
 * The loss of a model over examples.
 *
 * @param documents the loss of each document, in the order of the rows
 * @param data what became of the examples
 */
public record Evaluation(List<LossTotal> documents, PreparationCounts data) {
    public Evaluation {
        documents = List.copyOf(documents);
    }

    public LossTotal total() {
        return LossTotal.sum(documents);
    }
}
