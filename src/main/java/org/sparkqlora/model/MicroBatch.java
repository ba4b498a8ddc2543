package org.sparkqlora.model;

import java.util.List;
import org.sparkqlora.tokenizer.packing.TokenRow;

/**
 * Rows that pass through the model at once.
 *
 * @param passSeed decides what dropout drops and what noise is added, if the model has any; each micro-batch of a run has its own
 */
public record MicroBatch(List<TokenRow> rows, long passSeed) {
    public MicroBatch {
        rows = List.copyOf(rows);
    }
}
