package org.sparkqlora.ml;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CyclicBarrier;
import org.apache.spark.api.java.function.MapFunction;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sparkqlora.cli.LakeSettings;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.options.Sessions;
import org.sparkqlora.run.generate.AnswerQuestion;
import org.sparkqlora.spark.job.Clusters;

/** Two drivers that write the same part. */
@Tag("platform")
class AnswerTableTest {
    private static final StructType SCHEMA = new StructType().add("answer", "string");
    private static final AnswerQuestion QUESTION =
            new AnswerQuestion(Map.of("--max-new-tokens", "8"), "lake.tokens", 3L, "0", 2, null);
    private static final CyclicBarrier BOTH = new CyclicBarrier(2);

    @TempDir
    private static Path folder;

    @BeforeAll
    static void start() {
        Clusters.start(Clusters.TWO_SLOTS, LakeSettings.in(folder));
    }

    @AfterAll
    static void stop() {
        Sessions.stop();
    }

    @ParameterizedTest
    @CsvSource({"default.one, delta", "ice.lake.one, iceberg"})
    void keepsItsQuestion(String name, String format) {
        AnswerTable table = new AnswerTable(session(), name, format);
        assertThat(table.begun()).isEmpty();

        table.create(SCHEMA, QUESTION);

        assertThat(table.begun()).contains(QUESTION);
        assertThat(table.counts()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"ice.lake.orca, orca, Unsupported format in USING: orca", "/tmp/answers, delta, [PARSE_SYNTAX_ERROR] "})
    void aTableThatSparkCannotMakeIsRefused(String name, String format, String reason) {
        AnswerTable table = new AnswerTable(session(), name, format);

        assertThatThrownBy(() -> table.create(SCHEMA, QUESTION))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining(
                        "--answer-table: Cannot make %s: expected a table that Spark can make there, found %s",
                        name, reason);
    }

    @ParameterizedTest
    @CsvSource({"default.after, delta", "ice.lake.after, iceberg"})
    void aPartThatIsWrittenAgainIsThereOnce(String name, String format) {
        AnswerTable table = created(name, format);
        table.write(rows("a", "b"), 0);
        table.write(rows("c"), 1);

        table.write(rows("a", "b"), 0);

        assertThat(table.counts()).isEqualTo(Map.of(0, 2L, 1, 1L));
    }

    @ParameterizedTest
    @CsvSource({"default.both, delta", "ice.lake.both, iceberg"})
    void aPartThatTwoWriteAtOnceIsThereOnce(String name, String format) {
        AnswerTable table = created(name, format);
        Dataset<Row> rows = rows("a")
                .map(
                        (MapFunction<Row, Row>) row -> {
                            BOTH.await();
                            return row;
                        },
                        Encoders.row(SCHEMA));

        int failed = List.of(
                        CompletableFuture.runAsync(() -> table.write(rows, 0)),
                        CompletableFuture.runAsync(() -> table.write(rows, 0)))
                .stream()
                .mapToInt(AnswerTableTest::failures)
                .sum();

        assertThat(failed).isEqualTo(format.equals("delta") ? 1 : 0);
        assertThat(table.counts()).isEqualTo(Map.of(0, 1L));
    }

    private static int failures(CompletableFuture<Void> write) {
        try {
            write.join();
            return 0;
        } catch (CompletionException e) {
            assertThat(e).hasMessageContaining("ConcurrentAppendException");
            return 1;
        }
    }

    private static AnswerTable created(String name, String format) {
        AnswerTable table = new AnswerTable(session(), name, format);
        table.create(SCHEMA, QUESTION);
        return table;
    }

    private static Dataset<Row> rows(String... answers) {
        return session()
                .createDataFrame(
                        List.of(answers).stream().map(RowFactory::create).toList(), SCHEMA);
    }

    private static SparkSession session() {
        return SparkSession.builder().getOrCreate();
    }
}
