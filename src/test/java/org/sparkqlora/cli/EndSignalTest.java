package org.sparkqlora.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.ChildJvm;
import org.sparkqlora.JsonValues;
import org.sparkqlora.command.ExitCode;

@Timeout(900)
class EndSignalTest {
    private static final String STEPS = "100000";

    @TempDir
    private Path folder;

    @Test
    void endsTrainingInOneLineWithItsLastStepKept() throws IOException, InterruptedException {
        TrainRuns runs = TrainRuns.in(folder);
        Path output = folder.resolve("output");
        File told = folder.resolve("told.txt").toFile();
        Process training = start(
                told,
                runs.command(
                        output.toString(),
                        "--max-steps",
                        STEPS,
                        "--checkpoint-every",
                        STEPS,
                        "--lineage=" + folder.resolve("events.jsonl")));
        Path metrics = output.resolve("metrics.jsonl");
        awaitOf(training, told, () -> Files.exists(metrics) && lines(metrics).size() >= 3);

        training.destroy(); // SIGTERM

        assertThat(training.waitFor()).isEqualTo(ExitCode.RESUMABLE.code());
        List<String> said = lines(told.toPath());
        assertThat(said.get(said.size() - 1))
                .isEqualTo(
                        "spark-qlora train: ended by SIGTERM; the same command, run again, goes on from what it has kept.");
        assertThat(said).noneMatch(line -> line.contains("\tat ") || line.contains("Exception"));
        assertThat(lines(folder.resolve("events.jsonl")))
                .satisfiesExactly(
                        start -> assertThat(start).startsWith("{\"eventType\":\"START\""),
                        end -> assertThat(end).startsWith("{\"eventType\":\"ABORT\""));
        assertKept(output, lines(metrics).size());
    }

    @Test
    void aRunThatEndsWhileItEvaluatesGoesOnWithTheEvaluation() throws IOException, InterruptedException {
        TrainRuns runs = TrainRuns.in(folder);
        Path heldOut =
                Files.write(folder.resolve("held-out.jsonl"), Collections.nCopies(8, Files.readString(runs.data())));
        Path prompts = Files.writeString(folder.resolve("prompts.jsonl"), "{\"prompt\": \"what says the owl ?\"}\n");
        Path output = folder.resolve("output");
        List<String> command = runs.command(
                output.toString(),
                "--max-steps=4",
                "--eval-every=2",
                "--eval-max-new-tokens=2",
                "--eval-data=" + heldOut,
                "--eval-prompts=" + prompts);
        File told = folder.resolve("told.txt").toFile();
        Process training = start(told, command);
        Path samples = output.resolve("samples.jsonl");
        awaitOf(training, told, () -> Files.exists(samples) && lines(samples).size() == 2);

        training.destroy(); // SIGTERM

        assertThat(training.waitFor()).isEqualTo(ExitCode.RESUMABLE.code());
        assertThat(lines(output.resolve("metrics.jsonl"))).hasSize(1);
        assertKept(output, 2);

        CommandRun again = CommandRun.of(command.toArray(String[]::new));

        assertThat(again.code()).as(again.err()).isEqualTo(ExitCode.OK);
        assertThat(JsonValues.of(again.summary())).containsEntry("resumed_from", 2);
        assertThat(lines(output.resolve("metrics.jsonl")))
                .satisfiesExactly(
                        first -> assertThat(first).contains("\"step\":1,").doesNotContain("eval_loss"),
                        second -> assertThat(second).contains("\"step\":2,", "eval_loss"),
                        third -> assertThat(third).contains("\"step\":3,").doesNotContain("eval_loss"),
                        fourth -> assertThat(fourth).contains("\"step\":4,", "eval_loss"));
        assertThat(lines(samples)).hasSize(3);
    }

    private static Process start(File told, List<String> command) throws IOException {
        return new ProcessBuilder(ChildJvm.command(List.of(), Main.class, command))
                .redirectError(told)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
    }

    private static void assertKept(Path output, int step) throws IOException {
        try (Stream<Path> checkpoints = Files.list(output.resolve("checkpoints"))) {
            assertThat(checkpoints.map(path -> path.getFileName().toString()))
                    .anyMatch(name -> name.startsWith("step-" + step + "-") && name.endsWith(".json"));
        }
    }

    @Test
    void endsAtOnceWhatDoesNotUseSpark() throws IOException, InterruptedException {
        File told = folder.resolve("told.txt").toFile();
        Path temporary = Files.createDirectory(folder.resolve("temporary"));
        List<String> command = ChildJvm.command(
                List.of("-Djava.io.tmpdir=" + temporary),
                Main.class,
                List.of("bench", "--device", "cpu", "--repetitions", STEPS));
        Process bench = new ProcessBuilder(command)
                .redirectError(told)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        awaitOf(bench, told, () -> hasBegun(temporary));

        bench.destroy(); // SIGTERM

        assertThat(bench.waitFor()).isEqualTo(ExitCode.RESUMABLE.code());
        assertThat(Files.readString(told.toPath())).contains("spark-qlora: ended by SIGTERM");
        assertThat(hasBegun(temporary)).as("its folder is left").isFalse();
    }

    /** Waits for what a process does, while it lives. */
    private static void awaitOf(Process process, File told, Callable<Boolean> condition) throws IOException {
        await().atMost(Duration.ofMinutes(10)).until(() -> !process.isAlive() || condition.call());
        assertThat(process.isAlive()).as(Files.readString(told.toPath())).isTrue();
    }

    /** Whether it has made the folder of its model. */
    private static boolean hasBegun(Path temporary) throws IOException {
        try (Stream<Path> files = Files.list(temporary)) {
            return files.anyMatch(file -> file.getFileName().toString().startsWith("spark-qlora-bench"));
        }
    }

    private static List<String> lines(Path file) throws IOException {
        return Files.readString(file, StandardCharsets.UTF_8).lines().toList();
    }
}
