package org.sparkqlora.train;

import java.util.Arrays;
import java.util.List;
import org.sparkqlora.tokenizer.packing.TokenRow;

/** Prepared rows, by number. */
public interface RowReader {
    long rows();

    TokenRow read(long row);

    /** The rows of these numbers, in their order. */
    default List<TokenRow> readAll(long... numbers) {
        return Arrays.stream(numbers).mapToObj(this::read).toList();
    }

    /** The rows {@code now}; those of {@code next}, which the caller expects to ask for next, may be read meanwhile. */
    default List<TokenRow> readAhead(long[] now, long[] next) {
        return readAll(now);
    }
}
