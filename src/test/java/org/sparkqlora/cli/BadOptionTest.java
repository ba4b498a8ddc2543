package org.sparkqlora.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.command.ExitCode;
import org.sparkqlora.command.demo.DemoModel;
import org.sparkqlora.options.Sessions;

/** Values of options that no command can use get one clear error and code 64 before work. Words in capitals are files and folders. */
class BadOptionTest {
    private static final String RECORD = "{\"prompt\": \"What does the owl say?\", \"completion\": \"hoot\"}\n";

    @TempDir
    private Path folder;

    @BeforeEach
    void write() throws IOException {
        DemoModel.write(folder.resolve("MODEL"), 1);
        Files.writeString(folder.resolve("DATA"), RECORD);
        Files.writeString(folder.resolve("FILE"), "in the way");
        Files.writeString(folder.resolve("LATIN"), "caf\u00e9\n", StandardCharsets.ISO_8859_1);
        Files.createDirectory(folder.resolve("FOLDER"));
    }

    @AfterAll
    static void stopSpark() {
        Sessions.stop();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "prepare --model MODEL --data DATA --output FILE",
                "evaluate --model MODEL --data DATA --prepared FILE",
                "evaluate --model MODEL --data DATA --per-example FILE/losses.jsonl",
                "train --model MODEL --data DATA --output OUTPUT --prepared FILE",
                "train --model MODEL --data DATA --output OUTPUT --tensorboard FILE",
                "train --model MODEL --data DATA --output OUTPUT --lineage FILE/events.jsonl",
                "quantize --model MODEL --output FILE/q",
                "publish --from MODEL --to FILE/v1",
                "demo --output FILE/demo",
                "export --model MODEL --output FILE/model.gguf",
                "export --model MODEL --output FILE",
                "generate --model MODEL --prompts DATA --output FILE/answers.jsonl",
                "inspect MODEL --result FILE/result.json"
            })
    void aPlaceBelowAFile(String line) throws IOException {
        assertRefused(line, ": Cannot write to FILE", ": expected a folder that this user may write, found a file");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "evaluate --model MODEL --data DATA --per-example FOLDER | --per-example: Cannot replace FOLDER",
                "train --model MODEL --data DATA --output OUTPUT --sequence-length 2147483647 | --sequence-length: expected at most 16777216, found 2147483647",
                "train --model MODEL --data DATA --output OUTPUT --alpha 1e400 | Cannot scale adapters by alpha Infinity",
                "train --model MODEL --data DATA --output OUTPUT --alpha-pattern q_proj=Infinity | Infinity",
                "train --model MODEL --data DATA --output OUTPUT --epochs 1e400 | --epochs: expected more than 0, found Infinity",
                "train --model MODEL --data DATA --output OUTPUT --lineage DATA | --lineage: Cannot add to DATA: expected no file, or one of OpenLineage events, found another",
                "train --model MODEL --data DATA --output OUTPUT --new-tokens-file LATIN --modules-to-save embed_tokens,lm_head | Cannot read LATIN: expected text in UTF-8",
                "inspect LATIN | Cannot read LATIN: expected text in UTF-8",
                "train --config FOLDER | Cannot read FOLDER: expected a file, found a folder"
            })
    void aValueThatCannotBeUsed(String line, String message) throws IOException {
        assertRefused(line, message);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--beta 0.2 | --beta: expected --objective dpo or kto or orpo or cpo or simpo with it, found sft",
                "--dpo-loss ipo | --dpo-loss: expected --objective dpo with it, found sft",
                "--objective dpo --kto-loss apo_zero_unpaired | --kto-loss: expected --objective kto with it, found dpo",
                "--objective orpo --label-smoothing 0.1 | --label-smoothing: expected --objective dpo or cpo or simpo with it, found orpo",
                "--objective dpo --undesirable-weight 2 | --undesirable-weight: expected --objective kto with it, found dpo",
                "--objective cpo --simpo-gamma 1 | --simpo-gamma: expected --objective simpo with it, found cpo",
                "--objective dpo --cpo-alpha 0 | --cpo-alpha: expected --objective cpo or simpo with it, found dpo",
                "--center-rewards-coefficient 0.01 | --center-rewards-coefficient: expected --objective reward with it, found sft",
                "--mlflow-experiment owls | --mlflow-experiment: expected --mlflow with it, found none",
            })
    void whatHasNoUseInThisRun(String options, String message) throws IOException {
        assertRefused("train --model MODEL --data DATA --output OUTPUT " + options, message);
    }

    @Test
    void commitsOfOnePrompt() throws IOException {
        assertRefused(
                "generate --model MODEL --prompt owl --commit-rows 5",
                "--commit-rows: expected --prompts or --prompt-table with it, found --prompt");
    }

    private void assertRefused(String line, String... messages) throws IOException {
        CommandRun run = CommandRun.of(placed(line).split(" ", -1));

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.out()).isEmpty();
        for (String message : messages) {
            assertThat(run.err()).contains(placed(message));
        }

        assertThat(run.err()).doesNotContain("\tat ", "Exception", "problems\n");
        assertThat(run.err().lines().filter(each -> each.startsWith("spark-qlora")))
                .hasSize(1);
        assertThat(folder.resolve("FILE")).hasContent("in the way");
        assertThat(folder.resolve("DATA")).hasContent(RECORD.strip());
        assertThat(folder.resolve("OUTPUT")).doesNotExist();
    }

    private String placed(String text) {
        return text.replaceAll("\\b(MODEL|DATA|FILE|LATIN|FOLDER|OUTPUT)\\b", folder + "/$1");
    }
}
