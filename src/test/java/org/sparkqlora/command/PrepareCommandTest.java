package org.sparkqlora.command;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.cli.CommandRun;
import org.sparkqlora.cli.Program;
import org.sparkqlora.command.demo.DemoModel;
import org.sparkqlora.options.Console;
import org.sparkqlora.options.Sessions;
import org.sparkqlora.run.prepare.TokenMarking;
import org.sparkqlora.spark.prepare.PreparedData;
import org.sparkqlora.spark.prepare.RowsDay;

/** {@code prepare}: rows, report and refusals. */
class PrepareCommandTest {
    private static final String OWL = message("What does the owl say?", "The owl says hoot.");
    private static final String LONG = message("What does the owl say?", "The owl says hoot. ".repeat(20));

    @TempDir
    private Path folder;

    private Path data;
    private Path output;

    @BeforeEach
    void writeModel() throws IOException {
        DemoModel.write(folder.resolve("model"), 1);
        data = folder.resolve("data.jsonl");
        output = folder.resolve("rows");
    }

    @AfterAll
    static void stopSpark() {
        Sessions.stop();
    }

    @Test
    void theReportCountsWhatMayBeWrong() throws IOException {
        Files.write(
                data,
                List.of(OWL, LONG, OWL, "{\"input_ids\": [1, 2, 3], \"labels\": [-100, -100, -100]}", "nonsense"));

        CommandRun run = prepare("--report", "--on-bad-record", "skip");

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        assertThat(run.err())
                .contains(
                        "data.jsonl: JSON lines, found messages",
                        "data.jsonl: 3 examples, ",
                        "1 examples were longer than a row and were cut",
                        "1 examples were left out: they have no trained token, or two equal answers",
                        "1 lines are no records and were left out",
                        "1 examples are there already",
                        "1 examples end without a control token that is trained");
        JsonNode report =
                new ObjectMapper().readTree(output.resolve("report.json").toFile());
        assertThat(report.path("duplicates").asLong()).isEqualTo(1);
        assertThat(report.path("missing_end").asLong()).isEqualTo(1);
        assertThat(report.path("counts").path("untrained").asLong()).isEqualTo(1);
        assertThat(report.path("padding_without_packing").asDouble())
                .isGreaterThan(report.path("padding").asDouble());
        long inBuckets = 0;
        for (JsonNode bucket : report.path("examples_by_length")) {
            inBuckets += bucket.path("examples").asLong();
        }

        assertThat(inBuckets).isEqualTo(3);
    }

    @Test
    void theDateThatATemplateIsToldIsTold() throws IOException {
        Files.write(data, List.of(OWL));
        Path template = Files.writeString(
                folder.resolve("dated.jinja"),
                "{{ strftime_now('%Y') }}{% for m in messages %}{{ m.content }}<|im_end|>{% endfor %}");

        CommandRun run = prepare("--chat-template", template.toString());

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        String date = RowsDay.of(PreparedData.open(output.toString(), new Configuration())
                        .manifest()
                        .fingerprint())
                .told()
                .orElseThrow()
                .toString();
        assertThat(run.err()).contains("data.jsonl: its chat template is told the date " + date);
    }

    @Test
    void theReportShowsWhichTokensAreTrained() throws IOException {
        Files.write(data, List.of(OWL));

        CommandRun run = prepare("--report");

        assertThat(run.err()).contains("⟦The owl says hoot. <|im_end|>⟧").doesNotContain("⟦What");
        assertThat(output.resolve("report.txt"))
                .content()
                .contains("packing efficiency", "⟦The owl says hoot. <|im_end|>⟧");
    }

    @Test
    void aTerminalShowsTheMarksInColour() throws IOException {
        Files.write(data, List.of(OWL));
        ByteArrayOutputStream shown = new ByteArrayOutputStream();
        PrintStream stream = new PrintStream(shown, true, StandardCharsets.UTF_8);
        TokenMarking marking = TokenMarking.of(Console.Kind.TERMINAL, System.getenv("NO_COLOR"));

        Program.run(new Console(stream, stream, Console.Kind.TERMINAL, 80), line("--report"));

        assertThat(shown.toString(StandardCharsets.UTF_8))
                .contains(marking.trained("The owl says hoot. <|im_end|>"))
                .doesNotContain("\\u001b");
    }

    @Test
    void columnsOfASpreadsheetBecomeTurns() throws IOException {
        data = Files.writeString(
                folder.resolve("data.csv"), "question,answer\nWhat does the owl say?,The owl says hoot.\n");

        CommandRun run = prepare("--report", "--columns", "instruction=question,output=answer");

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        assertThat(run.err()).contains("data.csv: CSV, found alpaca", "⟦The owl says hoot. <|im_end|>⟧");
    }

    @Test
    void everyTokenIsTrainedWhenAskedTo() throws IOException {
        Files.write(data, List.of(OWL));

        CommandRun run = prepare("--report", "--train-on", "all");

        assertThat(run.err()).containsPattern("⟦[^⟧]*What does the owl say");
    }

    @Test
    void allThatIsWrongWithTheDataOptionsIsSaidAtOnce() {
        CommandRun run = prepare("--columns", "dialog=x", "--train-on", "user");

        assertThat(run.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err())
                .contains(
                        "--columns: Cannot map column x to 'dialog'",
                        "Cannot train on 'user': expected assistant, all or last-turn");
    }

    private CommandRun prepare(String... options) {
        return CommandRun.of(line(options));
    }

    private String[] line(String... options) {
        List<String> line = new ArrayList<>(List.of(
                "prepare",
                "--model",
                folder.resolve("model").toString(),
                "--data",
                data.toString(),
                "--output",
                output.toString(),
                "--sequence-length",
                "64"));
        line.addAll(List.of(options));
        return line.toArray(String[]::new);
    }

    private static String message(String question, String answer) {
        return "{\"messages\": [{\"role\": \"user\", \"content\": \"%s\"}, {\"role\": \"assistant\", \"content\": \"%s\"}]}"
                .formatted(question, answer);
    }
}
