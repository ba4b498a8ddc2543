package org.sparkqlora.spark.prepare;

import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.Function;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.util.SerializableConfiguration;
import org.sparkqlora.tokenizer.packing.TokenRow;

/**
 * The documents of held-out rows that training rows hold too, by hashes of their ids. Driver only.
 *
 * @param common documents of the held-out rows that are among the training rows
 * @param heldOut documents of the held-out rows
 */
public record CommonDocuments(long common, long heldOut) {
    /** Rows that are looked at on either side, the first ones: reading more would delay a run over large data. */
    static final long ROWS = 4096;

    private static final long ROWS_OF_TASK = 128;

    public static CommonDocuments of(JavaSparkContext context, PreparedData trained, PreparedData heldOut) {
        Set<Long> known = new HashSet<>(hashes(context, trained));
        List<Long> asked = hashes(context, heldOut);
        return new CommonDocuments(asked.stream().filter(known::contains).count(), asked.size());
    }

    private static List<Long> hashes(JavaSparkContext context, PreparedData data) {
        Broadcast<SerializableConfiguration> hadoop =
                context.broadcast(new SerializableConfiguration(context.hadoopConfiguration()));
        context.setJobDescription("compare held-out rows with training rows");
        try {
            List<Long> starts = LongStream.iterate(
                            0, start -> start < Math.min(ROWS, data.rows()), start -> start + ROWS_OF_TASK)
                    .boxed()
                    .toList();
            return context
                    .parallelize(starts, starts.size())
                    .map(new HashRows(data.folder(), hadoop))
                    .collect()
                    .stream()
                    .flatMapToLong(LongStream::of)
                    .boxed()
                    .collect(Collectors.toList());
        } finally {
            context.setJobDescription(null);
            hadoop.destroy();
        }
    }

    /**
     * The hashes of the documents in some rows. Runs in a task.
     *
     * @param folder of the rows
     */
    private record HashRows(String folder, Broadcast<SerializableConfiguration> hadoop)
            implements Function<Long, long[]> {
        @Override
        public long[] call(Long first) {
            PreparedData data = PreparedData.open(folder, hadoop.value().value());
            try (PreparedRows rows = data.reader(hadoop.value().value())) {
                long end = Math.min(Math.min(first + ROWS_OF_TASK, ROWS), rows.rows());
                return rows.readAll(LongStream.range(first, end).toArray()).stream()
                        .flatMapToLong(HashRows::hashes)
                        .toArray();
            }
        }

        private static LongStream hashes(TokenRow row) {
            int[] ids = row.ids();
            return row.documents().stream()
                    .mapToLong(range -> DocumentHash.of(Arrays.copyOfRange(ids, range.from(), range.to())));
        }
    }
}
