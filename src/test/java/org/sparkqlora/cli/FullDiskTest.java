package org.sparkqlora.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.sparkqlora.JsonValues;
import org.sparkqlora.checkpoint.FullDisk;
import org.sparkqlora.command.ExitCode;
import org.sparkqlora.options.Sessions;

/** A run whose disk gets full, on a Hadoop file system that is not the local one. */
class FullDiskTest {
    private static final String[] OPTIONS = {"--max-steps", "4", "--checkpoint-every", "2"};

    @TempDir
    Path folder;

    @AfterAll
    static void stopSpark() {
        Sessions.stop();
    }

    @ParameterizedTest(name = "told as {0}")
    @EnumSource
    void endsResumableAndGoesOnToTheSameBytesOnceThereIsSpace(FullDisk.Word word) throws IOException {
        TrainRuns runs = TrainRuns.in(folder);
        Path local = folder.resolve("local");
        assertThat(runs.train(local.toString(), OPTIONS).code()).isEqualTo(ExitCode.OK);
        long whole = FullDisk.used(local);
        long state = FullDisk.used(local.resolve("checkpoints")) / 2;
        long adapter = FullDisk.used(local.resolve("adapter"));

        Path disk = Files.createDirectories(folder.resolve("disk"));
        Path ballast = Files.write(folder.resolve("disk/ballast"), new byte[(int) whole]);
        String output = FullDisk.path(disk.resolve("output"));
        FullDisk.install(Sessions.context("test").hadoopConfiguration(), disk, 2 * whole - adapter - state / 2, word);
        Path result = folder.resolve("result.json");
        CommandRun full = runs.train(output, with("--result", result.toString()));

        assertThat(full.code()).as(full.err()).isEqualTo(ExitCode.RESUMABLE);
        assertThat(full.err()).contains("No space left on device", "those before it are kept");
        assertThat(full.err()).doesNotContain("\tat ");
        assertThat(result).content().contains("\"code\":75", "No space left on device");
        assertThat(disk.resolve("output/adapter")).doesNotExist();
        assertThat(JsonValues.of(CommandRun.of(
                                "inspect", disk.resolve("output/checkpoints").toString())
                        .summary()))
                .containsEntry("newest_step", 2);

        Files.delete(ballast);
        CommandRun again = runs.train(output, OPTIONS);

        assertThat(again.code()).as(again.err()).isEqualTo(ExitCode.OK);
        assertThat(again.err()).contains("resumed after step 2 of 4");
        StoredRun.read(disk.resolve("output").toString()).assertEquals(StoredRun.read(local.toString()));
        CommandRun evaluation = runs.evaluate(output + "/adapter");
        assertThat(evaluation.code()).as(evaluation.err()).isEqualTo(ExitCode.OK);
    }

    private static String[] with(String... more) {
        return Stream.concat(Arrays.stream(OPTIONS), Arrays.stream(more)).toArray(String[]::new);
    }

    @Test
    void aStoreThatNoJarKnowsIsABadOption() throws IOException {
        CommandRun run = TrainRuns.in(folder).train("nowhere://bucket/output", OPTIONS);

        assertThat(run.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err())
                .contains(
                        "Cannot open nowhere://bucket/output: expected a Hadoop file system for nowhere: on the class path, found none");
    }
}
