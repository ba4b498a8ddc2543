package org.sparkqlora.command;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sparkqlora.cli.CommandRun;
import org.sparkqlora.command.demo.DemoModel;
import org.sparkqlora.options.Sessions;
import org.sparkqlora.spark.job.Clusters;

/** Parts of tables of the catalog as {@code --data}, in SQL's words. */
class QueriedTableTest {
    private static final int ROWS = 4;

    @TempDir
    private static Path folder;

    @BeforeAll
    static void start() throws IOException {
        DemoModel.write(folder.resolve("model"), 1);
        JavaSparkContext context = Clusters.start(Clusters.TWO_SLOTS, Map.of("spark.sql.ansi.enabled", "true"));
        SparkSession session = SparkSession.builder().sparkContext(context.sc()).getOrCreate();
        session.range(ROWS)
                .selectExpr("'The owl says hoot.' AS text", "concat('at 0', id, ':00') AS time", "id AS `my id`")
                .createOrReplaceTempView("said");
        session.table("said").createOrReplaceTempView("`it was said`");
    }

    @AfterAll
    static void stop() {
        Sessions.stop();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            quoteCharacter = '"',
            value = {
                "said; 4",
                "`it was said`; 4",
                "`it was said` WHERE `my id` < 2; 2",
                "said WHERE time > 'at 00:30'; 3",
                "said WHERE time > 'at 00:30' AND `my id` < 3; 2",
                "SELECT concat('It is ', time) AS text FROM said WHERE time != 'a, b: c'; 4"
            })
    void aConditionMayHoldWhatIsNoPath(String source, int examples) throws IOException {
        CommandRun run = prepare("rows-" + source.hashCode(), source);

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        assertThat(new ObjectMapper().readTree(run.summary()).path("examples").asInt())
                .isEqualTo(examples);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "said WHERE cast(text AS int) > 3; WHERE cast(text AS int) > 3; [CAST_INVALID_INPUT] ",
                "SELECT text, 1 / `my id` AS x FROM said; , columns text, 1 / `my id` AS x; [DIVIDE_BY_ZERO] "
            })
    void aValueThatAnExpressionCannotTakeFailsAgain(String source, String part, String reason) {
        CommandRun run = prepare("none", source);

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err())
                .contains("Cannot read the table said")
                .contains(part + ": expected values that its expressions can take, found " + reason);
    }

    @ParameterizedTest
    @CsvSource({
        "SELECT text FROM said LIMIT 3, LIMIT 3",
        "SELECT text FROM said ORDER BY time, ORDER BY time",
        "SELECT text FROM said LEFT JOIN heard USING (time), LEFT JOIN heard USING (time)"
    })
    void otherClausesOfSqlAreNamed(String source, String clause) {
        CommandRun run = prepare("none", source);

        assertThat(run.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err())
                .contains(
                        "Cannot read '%s': expected SELECT columns FROM a table, then VERSION or TIMESTAMP AS OF and WHERE if any, found %s"
                                .formatted(source, clause));
    }

    @Test
    void aQuoteInATextIsNotWarnedOf() {
        PrintStream before = System.err;
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        System.setErr(new PrintStream(err, true, StandardCharsets.UTF_8));
        try {
            assertThat(prepare("quoted", "said WHERE text != 'a\", b'").code()).isEqualTo(ExitCode.OK);
        } finally {
            System.setErr(before);
        }

        assertThat(err.toString(StandardCharsets.UTF_8)).doesNotContain("picocli");
    }

    @Test
    void aTimeOfATableIsNoScheme() {
        CommandRun run = prepare("none", "said TIMESTAMP AS OF 2026-11-01 08:00:00");

        assertThat(run.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err())
                .contains("Cannot read the table said TIMESTAMP AS OF 2026-11-01 08:00:00: expected a Delta or"
                        + " Iceberg table, found another table or a view");
    }

    private static CommandRun prepare(String output, String source) {
        return CommandRun.of(
                "prepare",
                "--model=" + folder.resolve("model"),
                "--data=" + source,
                "--output=" + folder.resolve(output),
                "--sequence-length=64");
    }
}
