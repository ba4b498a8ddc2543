package org.sparkqlora.spark.prepare;

import java.util.Arrays;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.tokenizer.packing.TokenRow;

/**
 * Reads the batch that is asked for next while a task computes with the one before. The next batch of a shard may be asked for in another
 * process, so it is read ahead only where this process foresaw the last one too. Safe for several tasks at once.
 */
final class ReadAhead {
    private final Function<long[], RowBatch> start;
    private final long mostRows;
    private final Map<List<Long>, Supplier<RowBatch>> foreseen = new LinkedHashMap<>(); // the oldest first
    private long foreseenRows;

    /**
     * @param start begins to read rows
     * @param mostRows of the batches that are foreseen; the oldest are forgotten
     */
    ReadAhead(Function<long[], RowBatch> start, long mostRows) {
        this.start = start;
        this.mostRows = mostRows;
    }

    /** The rows {@code now}, and those of {@code next} ahead. */
    List<TokenRow> read(long[] now, long[] next) {
        Supplier<RowBatch> known = take(now);
        if (known == null) {
            List<TokenRow> rows = start.apply(now).await();
            foresee(next, () -> start.apply(next));
            return rows;
        }

        List<TokenRow> rows = known.get().await();
        if (next.length > 0 && next.length <= mostRows) {
            RowBatch begun = start.apply(next);
            foresee(next, () -> begun);
        }

        return rows;
    }

    private synchronized @Nullable Supplier<RowBatch> take(long[] numbers) {
        Supplier<RowBatch> batch = foreseen.remove(key(numbers));
        foreseenRows -= batch == null ? 0 : numbers.length;
        return batch;
    }

    private synchronized void foresee(long[] numbers, Supplier<RowBatch> batch) {
        Supplier<RowBatch> before = foreseen.put(key(numbers), batch);
        foreseenRows += before == null ? numbers.length : 0;
        Iterator<List<Long>> oldest = foreseen.keySet().iterator();
        while (foreseenRows > mostRows) {
            foreseenRows -= oldest.next().size();
            oldest.remove();
        }
    }

    private static List<Long> key(long[] numbers) {
        return Arrays.stream(numbers).boxed().toList();
    }
}
