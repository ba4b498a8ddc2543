package org.sparkqlora.train;

import org.sparkqlora.tokenizer.TokenRow;

/** Prepared rows, by number. */
public interface RowReader {
    long rows();

    TokenRow read(long row);
}
