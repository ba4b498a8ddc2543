package org.sparkqlora.command;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.cli.CommandRun;

class GateCommandTest {
    @TempDir
    Path folder;

    @Test
    void aLossAsLargeAsAllowedPasses() throws IOException {
        CommandRun run = gate("{\"command\":\"evaluate\",\"code\":0,\"summary\":{\"loss\":1.5}}", "1.5");

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        assertThat(run.summary()).isEqualTo("{\"command\":\"gate\",\"loss\":1.5,\"max_loss\":1.5}");
    }

    @Test
    void aLargerLossIsNotToBeTriedAgain() throws IOException {
        CommandRun run = gate("{\"command\":\"evaluate\",\"code\":0,\"summary\":{\"loss\":1.5}}", "1.4");

        assertThat(run.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err()).contains("Cannot pass the gate: expected a loss of at most 1.4, found 1.5 in ");
        assertThat(run.out()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"code\":75,\"reasons\":[\"lost\"]}",
                "{\"code\":0,\"summary\":{\"loss\":\"NaN\"}}",
                "{\"code\":0,\"summary\":{}}",
                "loss 0.1",
                ""
            })
    void whatIsNoEvaluationDoesNotPass(String text) throws IOException {
        CommandRun run = gate(text, "100");

        assertThat(run.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err()).contains("Cannot read ");
    }

    @ParameterizedTest
    @CsvSource({"-1, -1.0", "NaN, NaN", "1e400, Infinity"})
    void aThresholdThatNothingOrAllPassesIsRefused(String maxLoss, String found) throws IOException {
        CommandRun run = gate("{\"code\":0,\"summary\":{\"loss\":1}}", maxLoss);

        assertThat(run.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err()).contains("--max-loss: expected a number above 0, found " + found);
    }

    @Test
    void aFolderIsNoEvaluation() {
        CommandRun run = CommandRun.of("gate", "--evaluation", folder.toString(), "--max-loss", "1");

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err()).contains("Cannot read %s: expected a file, found a folder".formatted(folder));
    }

    private CommandRun gate(String evaluation, String maxLoss) throws IOException {
        Path file = Files.writeString(folder.resolve("evaluation.json"), evaluation);
        return CommandRun.of("gate", "--evaluation", file.toString(), "--max-loss", maxLoss);
    }
}
