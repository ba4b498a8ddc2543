package org.sparkqlora.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.JsonValues;
import org.sparkqlora.command.ExitCode;
import org.sparkqlora.options.Sessions;
import org.sparkqlora.spark.job.Clusters;

/** Answers to a table that are committed in parts, by commands that are killed. */
@Tag("platform")
class AnswerTablesTest {
    private static final int ROWS = 24;
    private static final String PARTS = "5"; // rows of one

    @TempDir
    private static Path folder;

    private static Map<String, String> settings;
    private static TrainRuns runs;
    private static List<Row> whole;

    @BeforeAll
    static void start() throws IOException {
        runs = TrainRuns.in(folder);
        settings = LakeSettings.in(folder);
        Clusters.start(Clusters.TWO_SLOTS, settings);
        session()
                .range(ROWS)
                .selectExpr(
                        "id",
                        "IF(id = 7, NULL, CONCAT('what says the ', ELT(1 + id % 4, 'cat', 'owl', 'cow', 'dog'), ' ?')) AS question",
                        "IF(id = 11, filter(array(named_struct('role', '', 'content', '')), x -> false), array(named_struct('role', 'user', 'content', 'what says the owl ?'))) AS messages")
                .write()
                .format("delta")
                .save(asked());
        CommandRun run = CommandRun.of(line("default.whole", "delta").toArray(String[]::new));
        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        whole = answers("default.whole");
    }

    @AfterAll
    static void stop() {
        Sessions.stop();
    }

    @Test
    void everyRowHasAnAnswerOrAnError() {
        assertThat(whole).hasSize(ROWS);
        assertThat(whole.stream().filter(row -> row.getAs("error") != null)).hasSize(1);
        assertThat(whole.get(11).<Row>getAs("error").<String>getAs("type")).isEqualTo("BAD_PROMPT");
        assertThat(whole.stream().filter(row -> row.getAs("answer") == null)).hasSize(1);
        assertThat(whole.stream().map(row -> row.<Integer>getAs("answer_part")).distinct())
                .hasSizeBetween(4, 5);
    }

    @ParameterizedTest
    @ValueSource(strings = {"delta", "iceberg"})
    void aJobThatIsKilledTwiceAnswersNothingTwice(String format) throws IOException, InterruptedException {
        String table = format.equals("delta") ? byPath(folder.resolve("killed").toString()) : "ice.lake.killed";
        for (int commits : List.of(2, 3)) {
            driver(table, format).killOnce(() -> commits(table) >= commits);
        }

        long begun = session().table(table).count();
        List<Row> before = answers(table);
        session().sql("INSERT INTO %s SELECT 1000, 'what says the cat ?', NULL".formatted(byPath(asked())));

        CommandRun run = CommandRun.of(line(table, format).toArray(String[]::new));

        session().sql("DELETE FROM %s WHERE id = 1000".formatted(byPath(asked())));
        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        assertThat(begun).isBetween(1L, ROWS - 1L);
        assertThat(JsonValues.of(run.summary()))
                .containsEntry("prompts", ROWS)
                .containsEntry("errors", 1)
                .containsEntry("earlier", (int) begun);
        assertThat(answers(table)).isEqualTo(whole).containsAll(before);
        assertThat(commits(table)).isEqualTo(1 + parts());
    }

    @Test
    void aPartThatSomebodyChangedIsToldAndAnsweredAnew() {
        String table = "default.changed";
        assertThat(CommandRun.of(line(table, "delta").toArray(String[]::new)).code())
                .isEqualTo(ExitCode.OK);
        session().sql("DELETE FROM changed WHERE id = 3");
        int part = whole.get(3).<Integer>getAs("answer_part");

        CommandRun refused = CommandRun.of(line(table, "delta").toArray(String[]::new));
        session().sql("DELETE FROM changed WHERE answer_part = " + part);
        CommandRun mended = CommandRun.of(line(table, "delta").toArray(String[]::new));

        assertThat(refused.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(refused.err())
                .containsPattern(
                        "Cannot write default.changed: expected \\d+ rows of answer_part %d, or none, found \\d+[.] Delete them, and the same command answers them again"
                                .formatted(part));
        assertThat(mended.code()).as(mended.err()).isEqualTo(ExitCode.OK);
        assertThat(answers(table)).isEqualTo(whole);
    }

    @Test
    void aFormatWithoutAtomicCommitsIsWrittenAtOnce() {
        CommandRun run = CommandRun.of(line("default.plain", "parquet").toArray(String[]::new));

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        assertThat(run.err()).contains("at once when all are made: a table of format parquet cannot take parts");
        assertThat(session().table("plain").orderBy("id").collectAsList())
                .isEqualTo(session()
                        .table("whole")
                        .drop("answer_part")
                        .orderBy("id")
                        .collectAsList());
    }

    private static long parts() {
        return whole.stream()
                .map(row -> row.<Integer>getAs("answer_part"))
                .distinct()
                .count();
    }

    private static DriverProcess driver(String table, String format) throws IOException {
        List<String> flags = new ArrayList<>(List.of("-Dspark.master=local[2]"));
        Stream.of(settings, Clusters.NO_GENERATED_CODE)
                .forEach(all -> all.forEach((key, value) -> flags.add("-D%s=%s".formatted(key, value))));
        return DriverProcess.start(folder.resolve("driver.log"), flags, line(table, format));
    }

    /** States that the table had. */
    private static long commits(String table) throws IOException {
        boolean delta = table.startsWith("delta.");
        Path log = folder.resolve(delta ? "killed/_delta_log" : "ice/lake/killed/metadata");
        if (!Files.exists(log)) {
            return 0;
        }

        try (Stream<Path> files = Files.list(log)) {
            return files.map(file -> file.getFileName().toString())
                    .filter(file -> file.matches(delta ? "\\d+\\.json" : "v\\d+\\.metadata\\.json"))
                    .count();
        }
    }

    private static List<String> line(String table, String format) {
        List<String> line = new ArrayList<>(List.of("generate", "--model", runs.model(), "--model-cache"));
        line.addAll(List.of(runs.cache().toString(), "--precision", "fp32", "--max-new-tokens", "6"));
        line.addAll(List.of("--prompt-table", byPath(asked()), "--commit-rows", PARTS));
        line.addAll(List.of("--answer-table", table, "--table-format", format));
        return line;
    }

    private static String asked() {
        return folder.resolve("asked").toString();
    }

    /** What Delta calls a table that only its folder names; another process knows it. */
    private static String byPath(String table) {
        return "delta.`%s`".formatted(table);
    }

    private static List<Row> answers(String table) {
        Dataset<Row> rows = session().table(table);
        return rows.orderBy("id").collectAsList();
    }

    private static SparkSession session() {
        return SparkSession.builder().getOrCreate();
    }
}
