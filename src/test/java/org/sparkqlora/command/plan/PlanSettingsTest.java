package org.sparkqlora.command.plan;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.StringReader;
import java.util.Properties;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.sparkqlora.cli.CommandRun;
import org.sparkqlora.command.ExitCode;

/** What {@code plan --spark-conf} prints, beside what {@code plan} counts. */
class PlanSettingsTest {
    private static final String LLAMA = "src/test/resources/goldens/models/llama-tied/base";

    @Test
    void printsWhatSparkMustBeToldSoThatThePlanFits() throws IOException {
        String[] options = {"plan", "--parameters", "7B", "--shards", "4", "--executors", "2", "--task-cpus", "3"};
        JsonNode qlora = summary(CommandRun.of(options)).at("/methods/qlora");
        CommandRun run = CommandRun.of(
                Stream.concat(Stream.of(options), Stream.of("--spark-conf")).toArray(String[]::new));

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        Properties settings = new Properties();
        settings.load(new StringReader(String.join("\n", run.out())));
        assertThat(settings)
                .containsEntry("spark.executor.instances", "2")
                .containsEntry("spark.executor.cores", "6")
                .containsEntry("spark.task.cpus", "3")
                .containsEntry("spark.cores.max", "12");
        long heap = qlora.path("executor_heap_bytes").asLong();
        assertThat(bytes(settings, "spark.executor.memory")).isBetween(heap, 2 * heap + (1 << 30));
        long beside = qlora.path("executor_bytes").asLong() - heap;
        assertThat(bytes(settings, "spark.executor.memoryOverhead")).isBetween(beside, beside * 5 / 4);
        assertThat(bytes(settings, "spark.driver.memory"))
                .isGreaterThan(qlora.path("driver_bytes").asLong());
    }

    /** In 32 bits on 8 executors: a gradient, 3 sums' shares of a quarter, and 48 bytes a parameter over 8. */
    @Test
    void whatExecutorsWithGpusExchangeAndOwnIsBesideTheirHeap() throws IOException {
        String[] plan = {
            "plan",
            "--parameters",
            "7B",
            "--device",
            "cuda",
            "--spark-conf=full",
            "--executors",
            "8",
            "--optimizer",
            "adamw"
        };
        double each = overhead(
                Stream.concat(Stream.of(plan), Stream.of("--zero-stage", "0")).toArray(String[]::new));

        assertThat(each).isBetween(7e9 * 4 * 1.75, 7e9 * 4 * 1.75 * 1.5);
        assertThat(overhead(plan) - each).isBetween(7e9 * 6 * 0.9, 7e9 * 6 * 1.3);
    }

    /** A gradient and 3 sums' shares of a quarter, 48 bytes a parameter over 8: more than Spark's share of the heap. */
    @Test
    void whatExecutorsKeepForOneAnotherHasRoomInMemory() throws IOException {
        String[] plan = {"plan", "--parameters", "7B", "--executors", "8", "--optimizer", "adamw", "--spark-conf"};
        Properties full =
                settings(Stream.concat(Stream.of(plan), Stream.of("full")).toArray(String[]::new));

        assertThat(full).containsEntry("spark.memory.offHeap.enabled", "true");
        double blocks = 7e9 * (4 * 1.75 + 6);
        assertThat((double) bytes(full, "spark.memory.offHeap.size")).isBetween(blocks * 0.95, blocks * 1.2);
        assertThat((double) bytes(full, "spark.executor.memoryOverhead")).isLessThan(blocks);
        assertThat(settings(plan)).doesNotContainKey("spark.memory.offHeap.enabled");
    }

    /** Memory beside the heap. */
    private static double overhead(String... plan) throws IOException {
        Properties settings = settings(plan);
        boolean isOutside = settings.containsKey("spark.memory.offHeap.size");
        return bytes(settings, "spark.executor.memoryOverhead")
                + (isOutside ? bytes(settings, "spark.memory.offHeap.size") : 0);
    }

    private static Properties settings(String... plan) throws IOException {
        CommandRun run = CommandRun.of(plan);
        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        Properties settings = new Properties();
        settings.load(new StringReader(String.join("\n", run.out())));
        return settings;
    }

    @Test
    void settingsOfExecutorsWithGpusGiveATaskAWholeOne() throws IOException {
        CommandRun run =
                CommandRun.of("plan", "--parameters", "7B", "--device", "cuda", "--spark-conf", "--task-cpus", "4");

        Properties settings = new Properties();
        settings.load(new StringReader(String.join("\n", run.out())));
        assertThat(settings)
                .containsEntry("spark.executor.cores", "4")
                .containsEntry("spark.task.cpus", "1")
                .containsEntry("spark.executor.resource.gpu.amount", "1")
                .containsEntry("spark.task.resource.gpu.amount", "0.25");
        assertThat(bytes(settings, "spark.executor.memoryOverhead")).isBetween(1L << 30, 4L << 30);
        assertThat(CommandRun.of("plan", "--model", LLAMA, "--measure", "--device", "cuda")
                        .err())
                .contains("--measure: expected no --device cuda with it");
    }

    @Test
    void settingsAreOfTheMethodAskedForAndNotOfAMeasurement() {
        CommandRun full = CommandRun.of("plan", "--parameters", "1B", "--spark-conf", "full");
        assertThat(full.code()).isEqualTo(ExitCode.OK);
        assertThat(full.out().get(0)).startsWith("# full: 1 tasks a step on 1 executors");

        CommandRun both = CommandRun.of("plan", "--model", LLAMA, "--measure", "--spark-conf", "--task-cpus", "0");
        assertThat(both.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(both.err())
                .contains("--spark-conf: expected no --measure with it", "--task-cpus: expected at least 1, found 0");
    }

    private static long bytes(Properties settings, String key) {
        String value = settings.getProperty(key);
        assertThat(value).endsWith("m");
        return Long.parseLong(value.substring(0, value.length() - 1)) << 20;
    }

    private static JsonNode summary(CommandRun run) throws IOException {
        return new ObjectMapper().readTree(run.summary());
    }
}
