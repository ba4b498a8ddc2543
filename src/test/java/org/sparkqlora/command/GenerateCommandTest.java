package org.sparkqlora.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.JsonValues;
import org.sparkqlora.cli.CommandRun;
import org.sparkqlora.command.demo.DemoLanguage;
import org.sparkqlora.command.demo.DemoModel;
import org.sparkqlora.command.demo.DemoVocabulary;
import org.sparkqlora.options.Sessions;

class GenerateCommandTest {
    @TempDir
    private static Path folder;

    /** Products of float32 whose rows pass alone or together. */
    private static final double LAST_DIGITS = 1e-5;

    @BeforeAll
    static void writeModel() {
        DemoModel.write(folder.resolve("model"), 7);
    }

    @AfterAll
    static void stop() {
        Sessions.stop();
    }

    @Test
    void textOfTheAnswerAppearsBeforeTheSummary() throws Exception {
        CommandRun run = generate("--prompt", DemoLanguage.SAMPLE, "--max-new-tokens", "8");

        assertThat(run.code()).isEqualTo(ExitCode.OK);
        var summary = new ObjectMapper().readTree(run.summary());
        assertThat(summary.get("tokens").intValue()).isBetween(1, 8);
        assertThat(summary.get("text").textValue()).isNotBlank();
        assertThat(run.err()).contains(summary.get("text").textValue());
    }

    /** Chat models often name the token that ends a turn only there. */
    @Test
    void endTokensOfTheGenerationConfigEndTheAnswer() throws Exception {
        Path model = folder.resolve("ending");
        DemoModel.write(model, 7);
        int vocabulary = DemoVocabulary.tokens().size();
        List<Integer> every = new ArrayList<>();
        for (int id = 0; id < vocabulary; id++) {
            every.add(id);
        }

        Files.writeString(model.resolve("generation_config.json"), "{\"eos_token_id\": %s}".formatted(every));
        CommandRun run = CommandRun.of(
                "generate",
                "--model",
                model.toString(),
                "--method",
                "lora",
                "--precision",
                "fp32",
                "--prompt",
                "hello");

        assertThat(run.summary()).contains("\"text\":\"\",\"tokens\":0");
    }

    @Test
    void answersOfAFileAreThoseOfEachPromptAlone() throws Exception {
        Path prompts = Files.writeString(
                folder.resolve("prompts.txt"), "%s\n\nwhat says the cat ?\n".formatted(DemoLanguage.SAMPLE));
        Path output = folder.resolve("new/answers.jsonl");
        CommandRun alone = generate("--prompt", DemoLanguage.SAMPLE, "--max-new-tokens", "8", "--temperature", "0.9");

        CommandRun run = generate(
                "--prompts",
                prompts.toString(),
                "--output",
                output.toString(),
                "--max-new-tokens",
                "8",
                "--temperature",
                "0.9");

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        List<String> answers = Files.readAllLines(output);
        assertThat(answers).hasSize(2);
        assertThat("{\"command\":\"generate\"," + answers.get(0).substring(1)).isEqualTo(alone.summary());
        assertThat(JsonValues.of(run.summary())).containsEntry("prompts", 2);
        assertThat(output.getParent()).isDirectoryNotContaining("glob:**.part");
    }

    @Test
    void itsLossIsThatOfThePromptInAFile() throws Exception {
        Path prompts = Files.writeString(folder.resolve("one.txt"), DemoLanguage.SAMPLE + "\n");
        Path output = folder.resolve("losses.jsonl");
        CommandRun file = generate(
                "--prompts",
                prompts.toString(),
                "--output",
                output.toString(),
                "--max-new-tokens",
                "8",
                "--answer-losses");
        CommandRun alone = generate("--prompt", DemoLanguage.SAMPLE, "--max-new-tokens", "8", "--answer-losses");

        assertThat(file.code()).as(file.err()).isEqualTo(ExitCode.OK);
        assertThat(alone.code()).as(alone.err()).isEqualTo(ExitCode.OK);
        var expected = new ObjectMapper().readTree(Files.readString(output));
        var summary = new ObjectMapper().readTree(alone.summary());
        assertThat(summary.get("loss_tokens")).isEqualTo(expected.get("loss_tokens"));
        assertThat(summary.get("loss_sum").doubleValue())
                .isPositive()
                .isCloseTo(expected.get("loss_sum").doubleValue(), within(LAST_DIGITS));
        assertThat(generate("--prompt", DemoLanguage.SAMPLE, "--max-new-tokens", "8")
                        .summary())
                .doesNotContain("loss");
    }

    @Test
    void recordsAreConversationsOrTextsToContinue() throws Exception {
        Path prompts = folder.resolve("prompts.jsonl");
        Files.write(
                prompts,
                List.of(
                        "{\"messages\": [{\"role\": \"user\", \"content\": \"hello\"}, {\"role\": \"assistant\", \"content\": \"hi\"}]}",
                        "{\"prompt\": \"hello\", \"completion\": \"hi\"}"));
        Path output = folder.resolve("records.jsonl");

        CommandRun run =
                generate("--prompts", prompts.toString(), "--output", output.toString(), "--max-new-tokens", "4");

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        List<String> answers = Files.readAllLines(output);
        assertThat(answers.get(0)).startsWith("{\"prompt\":[{\"role\":\"user\",\"content\":\"hello\"}],\"text\":");
        assertThat(answers.get(1)).startsWith("{\"prompt\":\"hello\",\"text\":");
    }

    @Test
    void aPromptThatCannotBeReadNamesItsLine() throws Exception {
        Path prompts = Files.writeString(folder.resolve("bad.jsonl"), "{\"prompt\": \"hello\"}\n{\"text\": \"x\"}\n");
        Path output = folder.resolve("never.jsonl");

        CommandRun run = generate("--prompts", prompts.toString(), "--output", output.toString());

        assertThat(run.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err())
                .contains("Cannot answer %s:2: Cannot read the record: expected a field prompt".formatted(prompts));
        assertThat(output).doesNotExist();
    }

    @Test
    void aByteOrderMarkIsNoPartOfAPrompt() throws Exception {
        Path prompts = Files.writeString(folder.resolve("marked.jsonl"), "\uFEFF{\"prompt\": \"hello\"}\n");
        Path output = folder.resolve("marked-answers.jsonl");

        CommandRun run =
                generate("--prompts", prompts.toString(), "--output", output.toString(), "--max-new-tokens", "4");

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        assertThat(output).content().startsWith("{\"prompt\":\"hello\",\"text\":");
    }

    @Test
    void whatIsNeitherTextNorLinesIsNoFileOfPrompts() throws Exception {
        Path latin = Files.write(folder.resolve("latin.txt"), "caf\u00e9\n".getBytes(StandardCharsets.ISO_8859_1));
        Path list = Files.writeString(folder.resolve("list.json"), "[{\"prompt\": \"a\"},\n {\"prompt\": \"b\"}]");

        assertRefused(latin, folder.resolve("never.jsonl"), "Cannot read %s: expected text in UTF-8".formatted(latin));
        assertRefused(
                list,
                folder.resolve("never.jsonl"),
                "Cannot answer %s: expected JSON lines or lines of text, found a JSON list".formatted(list));
    }

    @Test
    void anUnfinishedFileOfSomebodyElseStays() throws Exception {
        Path prompts = Files.writeString(folder.resolve("asked.txt"), "hello\n");
        Path foreign = Files.write(folder.resolve("mine.jsonl.unfinished"), new byte[] {(byte) 0xff, 1, '\n'});
        Path text = Files.writeString(folder.resolve("notes.jsonl.unfinished"), "my notes\n");
        Path inside = Files.createDirectory(folder.resolve("inside.jsonl.unfinished"));

        for (Path there : new Path[] {foreign, text, inside}) {
            String name = there.getFileName().toString().replace(".unfinished", "");
            assertRefused(prompts, folder.resolve(name), "Cannot go on with %s: expected".formatted(there));
        }

        assertThat(foreign).hasBinaryContent(new byte[] {(byte) 0xff, 1, '\n'});
        assertThat(text).hasContent("my notes");
    }

    private static void assertRefused(Path prompts, Path output, String message) {
        CommandRun run = generate("--prompts", prompts.toString(), "--output", output.toString());

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err()).contains(message).doesNotContain("Exception");
        assertThat(output).doesNotExist();
    }

    @Test
    void aTemperatureWithoutEndIsRefused() {
        CommandRun run = generate("--prompt", "hello", "--temperature", "1e400");

        assertThat(run.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err()).contains("--temperature: expected at least 0, found Infinity");
    }

    @Test
    void allProblemsAreToldTogether() {
        CommandRun run = generate("--temperature", "-1", "--top-p", "0", "--output", "x.jsonl");

        assertThat(run.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err())
                .contains(
                        "--temperature: expected at least 0, found -1.0",
                        "--top-p: expected more than 0 and at most 1, found 0.0",
                        "--prompt: expected this, --prompts or --prompt-table, found none",
                        "--output: expected together with --prompts, found one of the two");
    }

    private static CommandRun generate(String... options) {
        List<String> line = new ArrayList<>(List.of(
                "generate",
                "--model",
                folder.resolve("model").toString(),
                "--precision",
                "fp32",
                "--model-cache",
                folder.resolve("cache").toString()));
        line.addAll(List.of(options));
        return CommandRun.of(line.toArray(String[]::new));
    }
}
