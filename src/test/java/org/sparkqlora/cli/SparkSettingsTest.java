package org.sparkqlora.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sparkqlora.command.ExitCode;
import org.sparkqlora.command.demo.DemoModel;
import org.sparkqlora.options.Sessions;

/** Settings of spark-submit that no session can start from. */
class SparkSettingsTest {
    private final Map<String, String> given = new HashMap<>();

    @TempDir
    Path folder;

    @BeforeEach
    void stopSpark() {
        Sessions.stop();
    }

    @AfterEach
    void forget() {
        given.keySet().forEach(System::clearProperty);
        Sessions.stop();
    }

    @ParameterizedTest(name = "{0}={1}")
    @CsvSource({
        "spark.task.cpus, two, 'expected a whole number for spark.task.cpus, found two'",
        "spark.executor.memory, 1 lot, 'expected a size such as 4g for spark.executor.memory, found 1 lot'",
        "spark.driver.maxResultSize, big, 'expected a size such as 4g for spark.driver.maxResultSize, found big'",
        "spark.eventLog.enabled, perhaps, 'expected true or false for spark.eventLog.enabled, found perhaps'",
        "spark.kryoserializer.buffer.max, 4g, 'must be less than 2048'",
        "spark.master, nowhere, 'nowhere'"
    })
    void oneThatCannotBeReadIsBadInput(String key, String value, String reason) {
        set(key, value);

        CommandRun run = evaluate();

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err()).contains("Cannot start Spark: ", reason).doesNotContain("Exception", "\tat ");
    }

    @Test
    void anEventLogWithoutItsFolderIsBadInput() {
        String missing = folder.resolve("events").toString();
        set("spark.eventLog.enabled", "true");
        set("spark.eventLog.dir", missing);

        CommandRun run = evaluate();

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err())
                .contains(
                        "Cannot start Spark: expected the folder %s of spark.eventLog.dir, found none. Make it, or set spark.eventLog.enabled to false"
                                .formatted(missing));
    }

    /** Nobody makes files there. */
    @Test
    void anEventLogThatCannotBeWrittenIsBadInput() {
        set("spark.eventLog.enabled", "true");
        set("spark.eventLog.dir", "file:/proc");

        CommandRun run = evaluate();

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err())
                .contains(
                        "Cannot start Spark: expected the folder /proc of spark.eventLog.dir to be one that this user may write, found none.")
                .doesNotContain("chmod", "\tat ");
    }

    /** Spark itself would end the process with 53. */
    @Test
    void localFoldersThatCannotBeMadeAreBadInput() throws IOException {
        Path file = Files.writeString(folder.resolve("file"), "text");
        set("spark.local.dir", "%s,%s".formatted(file, file.resolve("below")));

        CommandRun run = evaluate();

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err())
                .contains(
                        "Cannot start Spark: expected a folder for its files (SPARK_LOCAL_DIRS, spark.local.dir) that this user may write, found %s, a file"
                                .formatted(file))
                .doesNotContain("\tat ");
    }

    @Test
    void oneLocalFolderOfSeveralIsEnough() throws IOException {
        Path file = Files.writeString(folder.resolve("file"), "text");
        set("spark.local.dir", "%s,%s".formatted(file, folder.resolve("there")));

        CommandRun run = evaluate();

        assertThat(run.err()).contains("nowhere.jsonl").doesNotContain("Cannot start Spark");
    }

    private void set(String key, String value) {
        given.put(key, value);
        System.setProperty(key, value);
    }

    private CommandRun evaluate() {
        Path model = folder.resolve("model");
        DemoModel.write(model, 1);
        List<String> line =
                List.of("evaluate", "--model", model.toString(), "--data", "nowhere.jsonl", "--sequence-length", "32");
        return CommandRun.of(line.toArray(String[]::new));
    }
}
