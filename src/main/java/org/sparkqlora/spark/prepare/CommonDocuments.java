package org.sparkqlora.spark.prepare;

import java.util.Arrays;
import java.util.List;
import java.util.stream.LongStream;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.Function;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.util.SerializableConfiguration;
import org.sparkqlora.spark.cluster.HadoopJobs;
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

    /** And documents, of which the driver holds the hashes: rows of tiny ones have thousands each. */
    private static final long DOCUMENTS = 1 << 20;

    private static final long ROWS_OF_TASK = 128;

    public static CommonDocuments of(JavaSparkContext context, PreparedData trained, PreparedData heldOut) {
        long[] known = hashes(context, trained);
        Arrays.sort(known);
        long[] asked = hashes(context, heldOut);
        long common = LongStream.of(asked)
                .filter(hash -> Arrays.binarySearch(known, hash) >= 0)
                .count();
        return new CommonDocuments(common, asked.length);
    }

    /** The first rows that are looked at. */
    static long rowsOf(Manifest manifest) {
        PreparationCounts counts = manifest.counts();
        long documents = counts.examples() * manifest.kind().documents();
        long ofRow = Math.max(1, documents / Math.max(1, counts.rows()));
        return Math.min(counts.rows(), Math.max(1, Math.min(ROWS, DOCUMENTS / ofRow)));
    }

    private static long[] hashes(JavaSparkContext context, PreparedData data) {
        try (HadoopJobs jobs = HadoopJobs.begin(context, "compare held-out rows with training rows")) {
            long end = rowsOf(data.manifest());
            List<Long> starts = LongStream.iterate(0, start -> start < end, start -> start + ROWS_OF_TASK)
                    .boxed()
                    .toList();
            return context
                    .parallelize(starts, starts.size())
                    .map(new HashRows(data.place(), end, jobs.hadoop()))
                    .collect()
                    .stream()
                    .flatMapToLong(LongStream::of)
                    .toArray();
        }
    }

    /**
     * The hashes of the documents in some rows. Runs in a task.
     *
     * @param place of the rows
     * @param rows that are looked at
     */
    private record HashRows(RowsPlace place, long rows, Broadcast<SerializableConfiguration> hadoop)
            implements Function<Long, long[]> {
        @Override
        public long[] call(Long first) {
            try (PreparedRows reader = place.open(hadoop.value().value())) {
                long end = Math.min(first + ROWS_OF_TASK, rows);
                return reader.readAll(LongStream.range(first, end).toArray()).stream()
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
