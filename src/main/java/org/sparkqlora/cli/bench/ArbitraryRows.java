package org.sparkqlora.cli.bench;

import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import org.sparkqlora.tokenizer.TokenRow;
import org.sparkqlora.train.RowReader;

/**
 * Rows of tokens drawn by the number of the row, each one document of which all but the first token are trained.
 *
 * @param rows how many there are
 * @param vocabulary tokens to draw from
 * @param sequenceLength tokens a row
 */
record ArbitraryRows(long rows, int vocabulary, int sequenceLength) implements RowReader {
    @Override
    public TokenRow read(long row) {
        int[] ids =
                new SplittableRandom(row).ints(sequenceLength, 0, vocabulary).toArray();
        boolean[] trained = new boolean[sequenceLength];
        boolean[] starts = new boolean[sequenceLength];
        Arrays.fill(trained, true);
        trained[0] = false;
        starts[0] = true;
        return new TokenRow(ids, trained, starts, sequenceLength);
    }

    /** The first {@code count} rows. */
    List<TokenRow> first(int count) {
        return LongStream.range(0, count).mapToObj(this::read).toList();
    }
}
