package org.sparkqlora.spark.prepare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.data.Columns;
import org.sparkqlora.data.ExampleKind;
import org.sparkqlora.data.Examples;
import org.sparkqlora.data.RecordFormat;
import org.sparkqlora.data.RecordReading;
import org.sparkqlora.spark.job.Clusters;
import org.sparkqlora.spark.prepare.PreparationOptions.OnBadRecord;
import org.sparkqlora.spark.prepare.PreparationOptions.Packing;
import org.sparkqlora.tokenizer.packing.TokenRow;

/** Numbers that a job adds to prepared rows. */
class ScoredRowsTest {
    private static final int EXAMPLES = 300;

    /** Of the second file: groups have 256 records at least. */
    private static final int DEADLY_LABEL_ID = 290;

    private static final AtomicInteger SCORED = new AtomicInteger();

    @TempDir
    private Path folder;

    private JavaSparkContext context;

    @BeforeEach
    void start() {
        context = Clusters.start(Clusters.ONE_SLOT);
        SCORED.set(0);
    }

    @AfterEach
    void stop() {
        context.close();
    }

    @Test
    void everyDocumentGetsANumberBehindItsOwn() throws IOException {
        PreparedData rows = rows();

        PreparedData scored = ScoredRows.of(context, rows, "sum", new IdSums(-1), target());

        assertThat(scored.manifest().counts()).isEqualTo(rows.manifest().counts());
        assertThat(scored.manifest().reference()).isEqualTo("sum");
        try (PreparedRows expected = rows.reader(new Configuration());
                PreparedRows found = scored.reader(new Configuration())) {
            for (long i = 0; i < expected.rows(); i++) {
                TokenRow row = found.read(i);
                double[] labels = expected.read(i).values();
                double[] sums = new IdSums(-1).score(row);
                assertThat(row.ids()).isEqualTo(expected.read(i).ids());
                assertThat(row.values())
                        .isEqualTo(IntStream.range(0, labels.length)
                                .boxed()
                                .flatMapToDouble(d -> Arrays.stream(new double[] {labels[d], sums[d]}))
                                .toArray());
            }
        }
    }

    @Test
    void aJobThatEndedGoesOnAndOneThatIsDoneIsUsedAgain() throws IOException {
        PreparedData rows = rows();
        assertThatThrownBy(() -> ScoredRows.of(context, rows, "sum", new IdSums(DEADLY_LABEL_ID), target()))
                .hasMessageContaining("died at the row");
        int first = SCORED.getAndSet(0);
        assertThat(first).isPositive().isLessThan(Math.toIntExact(rows.rows()));

        PreparedData scored = ScoredRows.of(context, rows, "sum", new IdSums(-1), target());

        assertThat(SCORED.getAndSet(0)).isLessThan(Math.toIntExact(rows.rows()));
        assertThat(ScoredRows.of(context, rows, "sum", new IdSums(-1), target()))
                .isEqualTo(scored);
        assertThat(SCORED.get()).isZero();
    }

    private String target() {
        return folder.resolve("scored").toString();
    }

    private PreparedData rows() throws IOException {
        List<String> lines = IntStream.range(0, EXAMPLES)
                .mapToObj(i -> String.format(
                        Locale.ROOT,
                        "{\"prompt_ids\": [%d], \"completion_ids\": [7, 8], \"label\": %b}",
                        i,
                        i % 3 == 0))
                .toList();
        Path file = Files.write(folder.resolve("data.jsonl"), lines);
        return new DataPreparation(context, null)
                .prepare(
                        List.of(file.toString()),
                        RecordEncoders.ofTokens(
                                new RecordReading(RecordFormat.TOKENS, Columns.OWN, Examples.of(ExampleKind.UNPAIRED))),
                        new PreparationOptions(16, Packing.ONE_A_ROW, OnBadRecord.FAIL)
                                .of(Examples.of(ExampleKind.UNPAIRED)),
                        folder.resolve("rows").toString());
    }

    /** The sum of the ids of each document; ends at a row that begins with {@code deadly}. */
    private record IdSums(int deadly) implements RowScorer {
        @Override
        public double[] score(TokenRow row) {
            if (row.ids()[0] == deadly) {
                throw new IllegalStateException("died at the row of " + deadly);
            }

            SCORED.incrementAndGet();
            return row.documents().stream()
                    .mapToDouble(range ->
                            Arrays.stream(row.ids(), range.from(), range.to()).sum())
                    .toArray();
        }
    }
}
