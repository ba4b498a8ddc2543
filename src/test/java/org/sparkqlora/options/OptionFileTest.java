package org.sparkqlora.options;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.api.Commands;
import org.sparkqlora.cli.CommandRun;
import org.sparkqlora.cli.RootCommand;
import org.sparkqlora.command.CommandCall;
import org.sparkqlora.command.ExitCode;
import org.sparkqlora.command.TrainCommand;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.input.InputLimits;
import org.sparkqlora.model.layout.SavedModule;
import org.sparkqlora.optim.ScheduleKind;
import picocli.CommandLine;

class OptionFileTest {
    @TempDir
    Path folder;

    @Test
    void valuesAreThoseOfTheOptions() throws IOException {
        TrainCommand command = train("""
                # a run
                model: /models/m
                data: [a.jsonl=0.7, b.jsonl=0.3]
                --output: out
                adapter:
                  rank: 8
                  alpha: 1e1
                  target-modules: [q_proj, v_proj]
                  rank-pattern: {q_proj: 4, v_proj: 2}
                  modules-to-save:
                    - embed_tokens
                  use-dora: true
                  use-rslora: false
                optimizer: {schedule: "cosine"}
                watching: {mlflow: }
                """);

        assertThat(command.options.data.sources).containsExactly("a.jsonl=0.7", "b.jsonl=0.3");
        assertThat(command.options.run.output())
                .hasToString(Path.of("out").toAbsolutePath().toString());
        AdapterOptions adapter = command.options.adapter;
        assertThat(adapter.rank).isEqualTo(8);
        assertThat(adapter.alpha).isEqualTo(10);
        assertThat(adapter.targets.words()).isEqualTo("q_proj,v_proj");
        assertThat(adapter.rankPattern).isEqualTo(Map.of("q_proj", 4, "v_proj", 2));
        assertThat(adapter.saved).containsExactly(SavedModule.parse("embed_tokens"));
        assertThat(adapter.weightDecomposed).isTrue();
        assertThat(adapter.rankStabilized).isFalse();
        assertThat(command.options.update.schedule).isEqualTo(ScheduleKind.COSINE);
        assertThat(command.options.run.mlflow.address).isEmpty();
    }

    @Test
    void theCommandLineWins() throws IOException {
        TrainCommand command = train(
                "{data: [a, b], rank: 8, alpha: 4, method: lora}", "--data", "c", "--rank=2", "--method", "qlora");

        assertThat(command.options.data.sources).containsExactly("c");
        assertThat(command.options.adapter.rank).isEqualTo(2);
        assertThat(command.options.adapter.alpha).isEqualTo(4);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "# nothing", "---", "{}"})
    void aFileMayGiveNothing(String text) throws IOException {
        assertThat(train(text).options.adapter.rank).isEqualTo(16);
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "rnak: 8 | line 1: expected an option of train, found rnak. Did you mean rank?",
                "learning_rate: 1 | line 1: expected an option of train, found learning_rate. Did you mean learning-rate?",
                "modle: {method: lora} | line 1: expected an option of train, found modle. Did you mean model?",
                "adapter: {rnk: 1} | line 1: expected an option of train, found rnk. Did you mean rank?",
                "data: {rank: 1} | line 1: expected rank in group adapter, found it in data",
                "{rank: 1, adapter: {rank: 1}} | line 1: expected rank once, found it in line 1 too",
                "rank: [1, 2] | line 1: expected one value for rank, found several",
                "rank: {a: 1} | line 1: expected one value for rank, found several",
                "rank: | line 1: expected a value for rank, found none",
                "rank: null | line 1: expected a value for rank, found none",
                "use-dora: yes | line 1: expected true or false for use-dora, found yes",
                "result: r.json | line 1: expected an option of train, found result. Did you mean resume?",
                "rank: many | '--rank': 'many' is not an int (rank in line 1 of",
                "rank: 0 | Cannot build adapters of rank 0: rank must be at least 1 (rank in line 1 of",
                "{schedule: x, seed: 1} | expected constant, linear or cosine (schedule in line 1 of",
                "epochs: 0 | --epochs: expected more than 0, found 0.0 (epochs in line 1 of"
            })
    void whatIsWrongIsToldWithItsLine(String text, String problem) throws IOException {
        CommandRun run = run(text, "--model", folder.toString(), "--data", "d", "--output", "o");

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err())
                .contains(problem)
                .contains(folder.resolve("run.yaml").toString());
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "- rank | line 1: expected names with values, found a list",
                "rank | line 1: expected names with values, found a single value",
                "a: &a [1]\\nb: *a | line 2: expected a value, found an alias",
                "a: [[1]] | line 1: expected a word or a number, found a list",
                "a: {b: {c: {d: 1}}} | line 1: expected a value, found names with values",
                "? [a]\\n: 1 | line 1: expected a word or a number, found a list",
                "a: 1\\n---\\nb: 1 | line 2: expected one document, found another",
                "a: b: c | line 1: expected YAML, found mapping values are not allowed here"
            })
    void whatIsNoFileOfOptionsIsRefused(String text, String problem) throws IOException {
        CommandRun run = run(text.replace("\\n", "\n"));

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err())
                .isEqualTo("spark-qlora train: Cannot read %s, %s%n".formatted(folder.resolve("run.yaml"), problem));
    }

    @Test
    void neitherDepthNorLengthEndsTheProcess() throws IOException {
        assertThat(run("a: " + "[".repeat(500_000)).err())
                .contains("line 1: expected a word or a number, found a list");
        assertThat(run("# " + "x".repeat(InputLimits.DEFAULT.optionsBytes())).err())
                .contains("expected at most 1048576 bytes, found more");
    }

    @Test
    void aFileThatIsNotThereIsBadInput() {
        CommandRun run =
                CommandRun.of("train", "--config", folder.resolve("no.yaml").toString());

        assertThat(run.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err())
                .isEqualTo("spark-qlora train: --config: Cannot open file %s: expected a file, found nothing%n"
                        .formatted(folder.resolve("no.yaml")));
    }

    @Test
    void whatTheFileLacksIsMissing() throws IOException {
        CommandRun run = run("{model: m, data: d}");

        assertThat(run.code()).isEqualTo(ExitCode.USAGE);
        assertThat(run.err()).contains("Missing required option: '--output=PATH'");
    }

    @Test
    void whatIsMissingForAMistakeInTheFileIsBadInput() throws IOException {
        CommandRun run = run("{modle: m, data: d, output: o}");

        assertThat(run.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err()).contains("found modle. Did you mean model?", "Missing required option: '--model=PATH'");
    }

    @Test
    void commandsThatRunOthersPassItsOptionsOn() throws IOException {
        CommandLine root = RootCommand.commandLine();
        RootCommand.call(root.parseArgs(
                line("{rank: 8, data: [a, b], use-dora: true}", "--rank", "4").toArray(String[]::new)));

        assertThat(new GivenOptions(root.getParseResult().subcommand().commandSpec()).without(Set.of()))
                .containsExactly("--rank=4", "--data=a", "--data=b", "--use-dora");
    }

    @Test
    void everyCommandTakesItAlsoFromPrograms() throws IOException {
        Path evaluation = folder.resolve("evaluation.json");
        Path file =
                Files.writeString(folder.resolve("gate.yaml"), "{evaluation: %s, max-loss: 1}".formatted(evaluation));
        Files.writeString(evaluation, "{\"code\": 0, \"summary\": {\"loss\": 0.5}}");

        assertThat(CommandRun.of("gate", "--config", file.toString()).code()).isEqualTo(ExitCode.OK);
        assertThat(Commands.run("gate", List.of(), Map.of("config", file))).contains("0.5");
        assertThatThrownBy(() -> Commands.run("train", List.of(), Map.of("config", file.toString())))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("line 1: expected an option of train, found evaluation");
        assertThatThrownBy(() -> Commands.run("gate", List.of(), Map.of("config", "/no/such.yaml")))
                .isInstanceOf(BadInputException.class)
                .hasMessage("--config: Cannot open file /no/such.yaml: expected a file, found nothing");
    }

    private CommandRun run(String text, String... more) throws IOException {
        return CommandRun.of(line(text, more).toArray(String[]::new));
    }

    private TrainCommand train(String text, String... more) throws IOException {
        CommandCall call = RootCommand.call(
                RootCommand.commandLine().parseArgs(line(text, more).toArray(String[]::new)));
        assertThat(call.problems()).noneMatch(problem -> problem.startsWith("Cannot read"));
        return (TrainCommand) Required.value("command", call.command());
    }

    private List<String> line(String text, String... more) throws IOException {
        Path file = Files.writeString(folder.resolve("run.yaml"), text);
        List<String> line = new ArrayList<>(List.of("train", "--config", file.toString()));
        line.addAll(List.of(more));
        return line;
    }
}
