package org.sparkqlora.command.compare;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.cli.CommandRun;
import org.sparkqlora.command.ExitCode;
import org.sparkqlora.command.demo.DemoLanguage;
import org.sparkqlora.command.demo.DemoModel;
import org.sparkqlora.command.demo.DemoModelJson;

class CompareCommandTest {
    @TempDir
    private Path folder;

    private Path output;

    @BeforeEach
    void writeInput() throws IOException {
        output = folder.resolve("output");
        DemoModel.write(folder.resolve("model"), 1);
        Files.write(
                folder.resolve("data.jsonl"),
                DemoLanguage.pirate().stream().map(DemoModelJson::messages).toList());
    }

    @Test
    void trainsByEachMethodInAProcessOfItsOwn() throws IOException {
        CommandRun run =
                compare("--methods", "full,qlora", "--learning-rate", "1e-3", "--learning-rate-of", "full=1e-4");

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        assertThat(run.err()).contains("|  | full | qlora |", "| peak memory, MB |", "| loss on held-out rows |");
        JsonNode methods = new ObjectMapper().readTree(run.summary()).path("methods");
        assertThat(methods.fieldNames()).toIterable().containsExactly("full", "qlora");
        assertThat(methods.at("/full/trained_parameters").asLong())
                .isGreaterThan(methods.at("/qlora/trained_parameters").asLong());
        assertThat(methods.at("/full/published_bytes").asLong())
                .isGreaterThan(methods.at("/qlora/published_bytes").asLong());
        for (JsonNode method : methods) {
            assertThat(method.path("peak_bytes").asLong()).isGreaterThan(100_000_000);
            assertThat(method.path("tokens_per_second").asDouble()).isPositive();
            assertThat(method.path("eval_loss").asDouble()).isPositive();
        }

        assertThat(learningRate("full")).isEqualTo(1e-4);
        assertThat(learningRate("qlora")).isEqualTo(1e-3);
        assertThat(output.resolve("full/model/model.safetensors")).exists();
        assertThat(output.resolve("qlora/adapter/adapter_model.safetensors")).exists();
    }

    @Test
    void reportsAllProblemsTogether() throws IOException {
        Files.createDirectory(output);

        CommandRun run = compare("--method", "lora", "--rank", "0");

        assertThat(run.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err())
                .contains("compare: 3 problems")
                .contains("--output: Cannot write " + output)
                .contains("--method: expected --methods in its place")
                .contains("Cannot build adapters of rank 0");
    }

    @Test
    void refusesWhatOneOfItsMethodsCannotDoBeforeAnyTrains() {
        CommandRun run =
                compare("--methods", "full,qlora", "--loraplus-ratio", "16", "--init-adapter", folder.toString());

        assertThat(run.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err())
                .contains(
                        "--loraplus-ratio: expected --methods qlora or lora with it, found full",
                        "--init-adapter: expected --methods qlora or lora with it, found full");
        assertThat(output).doesNotExist();
    }

    @Test
    void refusesAdaptersThatFitNoModuleBeforeAnyMethodTrains() {
        CommandRun run = compare("--methods", "full,qlora", "--rank-pattern", "q_prj=4");

        assertThat(run.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err()).contains("--rank-pattern: expected modules that get an adapter, found q_prj");
        assertThat(output).doesNotExist();
    }

    private double learningRate(String method) throws IOException {
        List<String> lines = Files.readAllLines(output.resolve(method).resolve("metrics.jsonl"));
        return new ObjectMapper().readTree(lines.get(1)).path("learning_rate").asDouble();
    }

    private CommandRun compare(String... more) {
        List<String> line = new ArrayList<>(List.of(
                "compare",
                "--model",
                folder.resolve("model").toString(),
                "--data",
                folder.resolve("data.jsonl").toString(),
                "--eval-data",
                folder.resolve("data.jsonl").toString(),
                "--output",
                output.toString(),
                "--sequence-length",
                "32",
                "--batch-size",
                "4",
                "--max-steps",
                "2",
                "--shards",
                "1",
                "--model-cache",
                folder.resolve("cache").toString()));
        line.addAll(List.of(more));
        return CommandRun.of(line.toArray(String[]::new));
    }
}
