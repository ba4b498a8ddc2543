package org.sparkqlora.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.command.ExitCode;

class MainTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(
            strings = {
                "demo",
                "prepare",
                "train",
                "evaluate",
                "generate",
                "merge",
                "quantize",
                "inspect",
                "plan",
                "compare",
                "bench",
                "gate",
                "publish"
            })
    void everyCommandHasHelp(String command) {
        CommandRun run = CommandRun.of(command, "--help");

        assertThat(run.code()).isEqualTo(ExitCode.OK);
        assertThat(run.out().get(0)).startsWith("Usage: spark-qlora " + command);
        assertThat(String.join("\n", run.out())).contains("--help");
    }

    @Test
    void helpListsTheCommandsAndTheExitCodes() {
        CommandRun run = CommandRun.of("--help");

        assertThat(run.code()).isEqualTo(ExitCode.OK);
        assertThat(String.join("\n", run.out()))
                .contains(
                        "demo",
                        "prepare",
                        "train",
                        "evaluate",
                        "generate",
                        "merge",
                        "quantize",
                        "inspect",
                        "plan",
                        "Exit codes: 0");
    }

    @Test
    void aLineWithoutACommandIsAMistakeOfUse() {
        CommandRun run = CommandRun.of();

        assertThat(run.code()).isEqualTo(ExitCode.USAGE);
        assertThat(run.err()).contains("Cannot run: expected a command, found none");
    }

    @Test
    void anUnknownCommandIsAMistakeOfUse() {
        CommandRun run = CommandRun.of("trian");

        assertThat(run.code()).isEqualTo(ExitCode.USAGE);
        assertThat(run.err()).contains("'trian'");
    }

    /** Whoever checks it: the parser, a word's reader or the command. */
    @ParameterizedTest(name = "{0} {1}")
    @CsvSource({"--rank,many", "--rank,0", "--method,magic", "--learning-rate,-1", "--learning-rate,1e"})
    void aValueThatAnOptionDoesNotTakeIsBadInput(String option, String value) {
        CommandRun run = CommandRun.of(
                "train", "--model", "/no/such/model", "--data", "x", "--output", "/tmp/none", option, value);

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.BAD_INPUT);
    }

    @Test
    void anOptionThatLacksItsValueIsAMistakeOfUse() {
        assertThat(CommandRun.of("plan", "--parameters").code()).isEqualTo(ExitCode.USAGE);
    }

    @Test
    void allProblemsOfALineAreReportedAtOnce() {
        CommandRun run = CommandRun.of(
                "train",
                "--method",
                "magic",
                "--rank",
                "0",
                "--learning-rate",
                "-1",
                "--batch-size",
                "0",
                "--bogus",
                "--seed",
                "x");

        assertThat(run.code()).isEqualTo(ExitCode.USAGE);
        assertThat(run.err())
                .startsWith("spark-qlora train: 7 problems\n")
                .contains(
                        "'--method': Unsupported method 'magic': expected qlora, lora or full",
                        "'--seed'",
                        "Missing required options: '--model=PATH', '--data=PATH', '--output=PATH'",
                        "Unknown option: '--bogus'",
                        "Cannot build adapters of rank 0: rank must be at least 1",
                        "--learning-rate: expected a number above 0, found -1.0",
                        "--batch-size: expected at least 1, found 0")
                .doesNotContain("\tat ");
        assertThat(run.out()).isEmpty();
    }

    @Test
    void valuesThatMakeNoSenseAreBadInputOnALineThatIsUnderstood() {
        CommandRun run = CommandRun.of(
                "train",
                "--model",
                folder.toString(),
                "--data",
                "d.jsonl",
                "--output",
                "o",
                "--max-grad-norm",
                "-1",
                "--warmup-ratio",
                "2",
                "--keep-checkpoints",
                "1",
                "--epochs",
                "0",
                "--sequence-length",
                "1",
                "--method",
                "full",
                "--loraplus-ratio",
                "16");

        assertThat(run.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err())
                .contains(
                        "--max-grad-norm: expected 0 (off) or more, found -1.0",
                        "--warmup-ratio: expected a number from 0 to 1, found 2.0",
                        "--keep-checkpoints: expected at least 2, found 1",
                        "--epochs: expected more than 0, found 0.0",
                        "--sequence-length: expected at least 2, found 1",
                        "--loraplus-ratio: expected --method qlora or lora with it, found full");
    }

    @Test
    void theVersionIsPrinted() {
        assertThat(CommandRun.of("--version").summary()).startsWith("spark-qlora ");
    }
}
