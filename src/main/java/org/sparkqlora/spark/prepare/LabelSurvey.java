package org.sparkqlora.spark.prepare;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Set;
import java.util.TreeSet;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.util.SerializableConfiguration;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.data.BadRecordException;
import org.sparkqlora.data.Columns;
import org.sparkqlora.data.LabelNamesJson;
import org.sparkqlora.data.Labels;
import org.sparkqlora.data.ProblemType;
import org.sparkqlora.spark.cluster.TaskSlots;
import org.sparkqlora.spark.source.NumberedRecords;
import org.sparkqlora.spark.source.RecordLines;
import org.sparkqlora.spark.source.SourceSplit;

/**
 * Looks for the classes of labelled texts in all of their records, as Spark jobs. Driver only.
 *
 * @param mostBytes of a record that counts
 */
record LabelSurvey(ProblemType problem, Columns columns, int mostBytes) {
    Labels of(JavaSparkContext context, List<SourceSplit> splits, List<NumberedRecords> tables) {
        Broadcast<SerializableConfiguration> hadoop =
                context.broadcast(new SerializableConfiguration(context.hadoopConfiguration()));
        Set<String> found = new TreeSet<>();
        try {
            context.setJobDescription("look for the labels of texts");
            if (!splits.isEmpty()) {
                int most = mostBytes;
                found.addAll(in(context.parallelize(splits, TaskSlots.parts(context, splits.size()))
                        .flatMap(
                                split -> new Records(split, most, hadoop.value().value()))));
            }

            tables.forEach(
                    table -> found.addAll(table.read(() -> in(table.numbered().values()))));
            return LabelNamesJson.labels(problem, found);
        } finally {
            context.setJobDescription(null);
            hadoop.destroy();
        }
    }

    private List<String> in(JavaRDD<String> records) {
        ProblemType of = problem;
        Columns named = columns;
        return records.mapPartitions(part -> LabelNamesJson.in(part, of, named).iterator())
                .collect();
    }

    /** The records of a split that can be read; closed behind the last. */
    private static final class Records implements Iterator<String> {
        private final RecordLines lines;
        private @Nullable String following;

        private Records(SourceSplit split, int mostBytes, Configuration configuration) throws IOException {
            this.lines = RecordLines.open(split, mostBytes, configuration);
            this.following = advance();
        }

        @Override
        public boolean hasNext() {
            return following != null;
        }

        @Override
        public String next() {
            String record = following;
            if (record == null) {
                throw new NoSuchElementException();
            }

            following = advance();
            return record;
        }

        private @Nullable String advance() {
            while (true) {
                try {
                    String record = lines.next();
                    if (record == null) {
                        lines.close();
                    }

                    return record;
                } catch (BadRecordException e) {
                    // it has no label, and preparing says why
                } catch (IOException e) {
                    throw new UncheckedIOException("Failed to read records", e);
                }
            }
        }
    }
}
