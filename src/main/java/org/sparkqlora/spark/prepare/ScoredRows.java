package org.sparkqlora.spark.prepare;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.AbstractList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.Function;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.util.SerializableConfiguration;
import org.sparkqlora.spark.cluster.HadoopJobs;
import org.sparkqlora.spark.cluster.ModelTasks;
import org.sparkqlora.spark.cluster.TaskSlots;
import org.sparkqlora.storage.Sha256;
import org.sparkqlora.tokenizer.packing.RowLayout;
import org.sparkqlora.tokenizer.packing.TokenRow;

/**
 * Prepared rows with one more number for each document, the log-probability of the reference, made by a Spark job of a task a file. A job that
 * was ended goes on with the files that lack. Driver only.
 */
public final class ScoredRows {
    private ScoredRows() {}

    /**
     * The rows of {@code data} with the numbers of {@code scorer}, in {@code folder}; those that are there already are used again.
     *
     * @param reference fingerprint of what decides the numbers
     */
    public static PreparedData of(
            JavaSparkContext context, PreparedData data, String reference, RowScorer scorer, String folder) {
        Configuration hadoop = context.hadoopConfiguration();
        String fingerprint =
                Sha256.hex((data.manifest().fingerprint() + "\n" + reference).getBytes(StandardCharsets.UTF_8));
        Optional<PreparedData> before = PreparedData.find(folder, hadoop)
                .filter(found -> found.manifest().fingerprint().equals(fingerprint))
                .filter(found -> DamagedRows.of(found, context).isEmpty());
        return before.orElseGet(() -> made(context, data, new Scores(fingerprint, reference, scorer), folder));
    }

    /** The columns that are added to rows. */
    private record Scores(String fingerprint, String reference, RowScorer scorer) {
        private Manifest manifest(Manifest of, List<PreparedFile> files) {
            return new Manifest(
                    fingerprint, of.width(), files, of.counts(), of.ids(), of.examples(), reference, of.tables());
        }
    }

    private static PreparedData made(JavaSparkContext context, PreparedData data, Scores scores, String folder) {
        PreparedFolder target = PreparedFolder.open(folder, context);
        try (HadoopJobs jobs = HadoopJobs.begin(context, "prepare: log-probabilities of the reference")) {
            int files = data.manifest().files().size();
            RowLayout layout = scores.manifest(data.manifest(), List.of()).layout();
            String prefix = Manifest.rowsPrefix(scores.fingerprint());
            ScoreFile task = new ScoreFile(
                    data, folder, prefix, target.finished(prefix), layout, scores.scorer(), jobs.hadoop());
            List<Integer> numbers = IntStream.range(0, files).boxed().toList();
            List<PreparedFile> written = ModelTasks.of(context.getConf())
                    .place(context.parallelize(numbers, TaskSlots.parts(context, files)))
                    .map(task)
                    .collect()
                    .stream()
                    .sorted(Comparator.comparing(GroupResult::group))
                    .map(result -> Objects.requireNonNull(result.file())
                            .ofSource(
                                    data.manifest().files().get(result.group()).source()))
                    .toList();
            Manifest manifest = scores.manifest(data.manifest(), written);
            PreparationReport report = data.report(context.hadoopConfiguration())
                    .orElseGet(() -> PreparationReport.of(manifest, ExampleChecks.NONE, 1));
            return target.publish(manifest, report);
        }
    }

    /** Scores the rows of one file. Runs in a task. */
    private record ScoreFile(
            PreparedData data,
            String folder,
            String prefix,
            FinishedGroups before,
            RowLayout layout,
            RowScorer scorer,
            Broadcast<SerializableConfiguration> configuration)
            implements Function<Integer, GroupResult> {
        @Override
        public GroupResult call(Integer number) {
            Configuration hadoop = configuration.value().value();
            FinishedGroup target = new FinishedGroup(folder, prefix, number);
            try {
                Optional<GroupResult> finished =
                        before.mayHave(number) ? target.read(hadoop, layout) : Optional.empty();
                if (finished.isPresent()) {
                    return finished.get();
                }

                GroupResult result = write(number, target, hadoop);
                target.write(result, hadoop);
                return result;
            } catch (IOException e) {
                throw new UncheckedIOException("Failed to score the rows of file " + number, e);
            }
        }

        private GroupResult write(int number, FinishedGroup target, Configuration hadoop) throws IOException {
            try (PreparedRows rows = only(number).reader(hadoop)) {
                PreparedFile file =
                        new RowFileWriter(folder, layout, hadoop).write(target.rowsName(), new Scored(rows, scorer));
                return new GroupResult(number, file, PreparationCounts.NONE, ExampleChecks.NONE, List.of());
            }
        }

        private PreparedData only(int number) {
            Manifest of = data.manifest();
            PreparedFile file = of.files().get(number).ofSource(0);
            return new PreparedData(
                    data.folder(),
                    new Manifest(
                            of.fingerprint(),
                            of.width(),
                            List.of(file),
                            of.counts(),
                            of.ids(),
                            of.examples(),
                            null,
                            of.tables()));
        }
    }

    /** Rows of a file, each scored when it is asked for. */
    private static final class Scored extends AbstractList<TokenRow> {
        private final PreparedRows rows;
        private final RowScorer scorer;

        private Scored(PreparedRows rows, RowScorer scorer) {
            this.rows = rows;
            this.scorer = scorer;
        }

        @Override
        public TokenRow get(int number) {
            TokenRow row = rows.read(number);
            double[] scores = scorer.score(row);
            int each = row.values().length / scores.length;
            double[] values = IntStream.range(0, scores.length)
                    .boxed()
                    .flatMapToDouble(d -> DoubleStream.concat(
                            DoubleStream.of(row.values()).skip((long) d * each).limit(each),
                            DoubleStream.of(scores[d])))
                    .toArray();
            return new TokenRow(row.ids(), row.trained(), row.starts(), row.length(), values);
        }

        @Override
        public int size() {
            return Math.toIntExact(rows.rows());
        }
    }
}
