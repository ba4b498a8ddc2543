package org.sparkqlora.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.JsonValues;
import org.sparkqlora.command.ExitCode;
import org.sparkqlora.options.Sessions;

/** Answers to a file of prompts, by commands that are killed. */
class AnswerFileTest {
    private static final int PROMPTS = 120;

    @TempDir
    private static Path folder;

    private static TrainRuns runs;
    private static Path questions;
    private static String whole;

    @BeforeAll
    static void answer() throws IOException {
        runs = TrainRuns.in(folder);
        questions = folder.resolve("questions.txt");
        Files.write(
                questions,
                IntStream.range(0, PROMPTS)
                        .mapToObj(i ->
                                "what says the " + List.of("cat", "owl", "cow").get(i % 3) + " ?")
                        .toList());
        Path output = folder.resolve("whole.jsonl");
        CommandRun run = generate(output);
        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        whole = Files.readString(output);
    }

    @AfterAll
    static void stop() {
        Sessions.stop();
    }

    @Test
    void aCommandThatIsKilledTwiceAnswersNothingTwice() throws IOException, InterruptedException {
        Path output = folder.resolve("killed.jsonl");
        Path unfinished = folder.resolve("killed.jsonl.unfinished");
        String before = "";
        for (int answers : List.of(3, 20)) {
            DriverProcess.start(folder.resolve("driver.log"), List.of("-Dspark.master=local[2]"), line(output))
                    .killOnce(() -> lines(unfinished) > answers);
            assertThat(Files.readString(unfinished)).startsWith(before);
            before = Files.readString(unfinished);
        }

        int earlier = lines(unfinished) - 1;
        Files.writeString(unfinished, before + "{\"prompt\": \"half a li");

        CommandRun run = generate(output);

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        assertThat(output).hasContent(whole);
        assertThat(earlier).isBetween(20, PROMPTS - 1);
        assertThat(JsonValues.of(run.summary()))
                .containsEntry("prompts", PROMPTS)
                .containsEntry("earlier", earlier);
        assertThat(unfinished).doesNotExist();
    }

    @Test
    void anotherQuestionDoesNotGoOn() throws IOException, InterruptedException {
        Path output = folder.resolve("other.jsonl");
        Path unfinished = folder.resolve("other.jsonl.unfinished");
        DriverProcess.start(folder.resolve("driver.log"), List.of("-Dspark.master=local[2]"), line(output))
                .killOnce(() -> lines(unfinished) > 1);
        String before = Files.readString(unfinished);

        CommandRun hotter = generate(output, "--temperature", "0.5");
        Files.writeString(questions, Files.readString(questions) + "what says the dog ?\n");
        CommandRun longer = generate(output);
        Files.writeString(questions, Files.readString(questions).replace("what says the dog ?\n", ""));

        assertThat(hotter.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(hotter.err())
                .contains("--output: Cannot go on with %s: expected answers to the same question, found others: "
                        .formatted(unfinished))
                .contains("--temperature is 0.5, was 0.0");
        assertThat(longer.err()).contains("found others: the prompts changed. Choose another --output");
        assertThat(unfinished).hasContent(before);
        assertThat(generate(output).code()).isEqualTo(ExitCode.OK);
        assertThat(output).hasContent(whole);
    }

    @Test
    void aFileOfSomebodyElseStays() throws IOException {
        Path unfinished = Files.writeString(folder.resolve("somebodys.jsonl.unfinished"), "somebody's");

        CommandRun run = generate(folder.resolve("somebodys.jsonl"));

        assertThat(run.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err()).contains("--output: Cannot go on with %s: expected answers".formatted(unfinished));
        assertThat(unfinished).hasContent("somebody's");
    }

    private static int lines(Path file) throws IOException {
        return Files.exists(file)
                ? (int) Files.readString(file).chars().filter(c -> c == '\n').count()
                : 0;
    }

    private static CommandRun generate(Path output, String... options) {
        List<String> line = line(output);
        line.addAll(List.of(options));
        return CommandRun.of(line.toArray(String[]::new));
    }

    private static List<String> line(Path output) {
        List<String> line = new ArrayList<>(List.of("generate", "--model", runs.model(), "--model-cache"));
        line.addAll(List.of(runs.cache().toString(), "--precision", "fp32", "--max-new-tokens", "6"));
        line.addAll(List.of("--prompts", questions.toString(), "--commit-rows", "3"));
        line.addAll(List.of("--output", output.toString()));
        return line;
    }
}
