package org.sparkqlora.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sparkqlora.JsonValues;
import org.sparkqlora.cli.CommandRun;
import org.sparkqlora.options.Sessions;
import org.sparkqlora.weights.gguf.ExportGolden;

class ExportCommandTest {
    /** Sums in float32 in another order. */
    private static final double TOLERANCE = 1e-5;

    private static final Path TIED = Path.of("src/test/resources/goldens/models/llama-tied");

    @TempDir
    private Path temporary;

    private ExportGolden golden;
    private Path model;

    @BeforeEach
    void assemble() throws IOException {
        golden = ExportGolden.of("llama-yarn");
        model = golden.assemble(temporary.resolve("in"));
    }

    @AfterAll
    static void stopSpark() {
        Sessions.stop();
    }

    @Test
    void writesAFileOfLlamaCppsNameAndSaysSo() {
        Path output = temporary.resolve("out");

        CommandRun run = export("--output", output.toString(), "--outtype", "q8_0");

        Path file = output.resolve("Llama-Yarn-24K-Q8_0.gguf");
        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        assertThat(run.summary())
                .isEqualTo(
                        "{\"command\":\"export\",\"output\":\"%s\",\"format\":\"gguf\",\"outtype\":\"q8_0\",\"tensors\":20,\"bytes\":%d}"
                                .formatted(file, file.toFile().length()));
        assertThat(output.toFile().list()).containsExactly(file.getFileName().toString());
    }

    /** The sum of weight and adapter is rounded in float32 alone. */
    @Test
    void aFileWithAnAdapterHasTheLossOfTheModelWithIt() throws IOException {
        Path file = temporary.resolve("tuned.gguf");
        String adapter = golden.adapter().toString();

        CommandRun run = export("--adapter", adapter, "--output", file.toString(), "--outtype", "f32");

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        double expected = loss(model, "--adapter", adapter);
        assertThat(loss(file)).isCloseTo(expected, offset(TOLERANCE));
        assertThat(loss(model)).as("the adapter matters").isNotCloseTo(expected, offset(0.01));
    }

    @ParameterizedTest
    @CsvSource({"true, tuned.gguf", "false, kept"})
    void replacesNothingUnasked(boolean isFile, String name) throws IOException {
        Path output = temporary.resolve(name);
        Path file = isFile ? output : output.resolve("Llama-Yarn-24K-F16.gguf");
        Files.createDirectories(file.getParent());
        Files.writeString(file, "mine");

        CommandRun unasked = export("--output", output.toString());
        CommandRun foreign = export("--output", output.toString(), "--overwrite");

        assertThat(unasked.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(unasked.err())
                .contains("Cannot write %s: expected no such file yet, found one. To replace it, say --overwrite"
                        .formatted(file));
        assertThat(foreign.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(foreign.err()).contains("Cannot overwrite %s: expected a GGUF file, found another".formatted(file));
        assertThat(file).hasContent("mine");
    }

    @Test
    void replacesAFileOfItsKindWhenAsked() throws IOException {
        Path file = temporary.resolve("model.gguf");
        export("--output", file.toString(), "--outtype", "f32");
        long before = Files.size(file);

        CommandRun run = export("--output", file.toString(), "--outtype", "bf16", "--overwrite");

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        assertThat(file).isNotEmptyFile();
        assertThat(Files.size(file)).isLessThan(before);
        try (Stream<Path> left = Files.list(temporary)) {
            assertThat(left).containsExactlyInAnyOrder(file, temporary.resolve("in"));
        }
    }

    @ParameterizedTest
    @CsvSource({"true", "false"})
    void neverReplacesTheModelThatItReads(boolean isFile) throws IOException {
        Path folder = temporary.resolve("models");
        export("--output", folder.toString());
        Path file = folder.resolve("Llama-Yarn-24K-F16.gguf");
        byte[] before = Files.readAllBytes(file);
        model = file;

        CommandRun run = export("--output", (isFile ? file : folder).toString(), "--name", "Llama Yarn", "--overwrite");

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err())
                .contains(
                        "Cannot write to %s: expected every input outside of it, found --model %s in it. Choose another --output"
                                .formatted(file, file));
        assertThat(file).hasBinaryContent(before);
    }

    @ParameterizedTest
    @CsvSource({
        "vllm, llama-tied, adapter",
        "vllm, llama-tied/variants/rslora, adapter",
        "vllm, llama-tied/variants/dora, merged model",
        "vllm, llama-tied/variants/patterns, merged model",
        "sglang, llama-tied/variants/rslora, merged model",
        "llama.cpp, llama-tied/variants/patterns, adapter",
        "llama.cpp, llama-tied/variants/dora, merged model",
        "ollama, saved-tied, merged model"
    })
    void saysWhatAServerTakes(String server, String adapter, String serves) {
        Path models = Path.of("src/test/resources/goldens/models");

        CommandRun run = export(
                "--for",
                server,
                "--adapter",
                models.resolve(adapter).resolve("adapter").toString());

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        assertThat(run.summary())
                .startsWith("{\"command\":\"export\",\"for\":\"%s\",\"serves\":\"%s\",".formatted(server, serves));
        assertThat(run.summary().contains("\"objections\":[]")).isEqualTo(serves.equals("adapter"));
    }

    @Test
    void writesTheLoraThatLlamaCppTakes() {
        Path file = temporary.resolve("tuned.gguf");

        CommandRun run =
                export("--for", "llama.cpp", "--adapter", golden.adapter().toString(), "--output", file.toString());

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        assertThat(run.summary())
                .contains("--output base.gguf\\nllama-server -m base.gguf --lora %s\"".formatted(file));
        assertThat(file).content(StandardCharsets.ISO_8859_1).startsWith("GGUF").contains("adapter.lora.alpha");
    }

    @Test
    void mergesWhatVllmDoesNotTake() throws IOException {
        Path merged = temporary.resolve("merged");

        CommandRun run = merged(TIED.resolve("base"), merged);

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        assertThat(run.err()).contains("vllm does not serve it as it is: use_dora: it adds no magnitudes (DoRA)");
        assertThat(run.summary()).contains("\"run\":\"vllm serve %s\"".formatted(merged));
        assertThat(merged.resolve("model.safetensors")).isNotEmptyFile();
    }

    @Test
    void replacesAModelThatWasMergedForVllmOnlyWhenAskedAndNeverWhatItReads() throws IOException {
        Path there = temporary.resolve("there");
        assertThat(merged(TIED.resolve("base"), there).code()).isEqualTo(ExitCode.OK);
        Path thesis = Files.writeString(temporary.resolve("thesis.txt"), "years of work");
        byte[] before = Files.readAllBytes(there.resolve("model.safetensors"));

        CommandRun unasked = merged(TIED.resolve("base"), there);
        CommandRun onItsBase = merged(there, there, "--overwrite");
        CommandRun onAFile = merged(TIED.resolve("base"), thesis, "--overwrite");

        assertThat(unasked.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(unasked.err())
                .contains("Cannot write %s: expected a folder that does not exist yet, found one".formatted(there));
        assertThat(onItsBase.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(onItsBase.err()).contains("expected every input outside of it, found --model " + there);
        assertThat(onAFile.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(thesis).hasContent("years of work");
        assertThat(there.resolve("model.safetensors")).hasBinaryContent(before);
        CommandRun asked = merged(TIED.resolve("base"), there, "--overwrite");
        assertThat(asked.code()).as(asked.err()).isEqualTo(ExitCode.OK);
        assertThat(asked.err()).contains("--overwrite: replacing config.json, model.safetensors");
    }

    private static CommandRun merged(Path base, Path output, String... options) {
        return CommandRun.of(Stream.concat(
                        Stream.of(
                                "export",
                                "--for",
                                "vllm",
                                "--model",
                                base.toString(),
                                "--adapter",
                                TIED.resolve("variants/dora/adapter").toString(),
                                "--output",
                                output.toString()),
                        Stream.of(options))
                .toArray(String[]::new));
    }

    @Test
    void reportsEveryProblemAtOnce() {
        CommandRun run = CommandRun.of(
                "export", "--model", "/no/such", "--output", "x.gguf", "--adapter-only", "--base", "original");

        assertThat(run.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err())
                .contains(
                        "--model: Cannot open model /no/such",
                        "--adapter-only: expected --adapter, found none",
                        "--base: expected --adapter, which is folded into it, found none");
    }

    @Test
    void refusesWeightsInFourBitsAndNamesTheWayOut() {
        Path quantized = temporary.resolve("q4");
        CommandRun.of("quantize", "--model", model.toString(), "--output", quantized.toString());

        CommandRun run = CommandRun.of(
                "export",
                "--model",
                quantized.toString(),
                "--output",
                temporary.resolve("x.gguf").toString());

        assertThat(run.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err())
                .contains(
                        "Cannot export %s as GGUF: expected weights in 16 or 32 bits, found model.layers.0."
                                .formatted(quantized),
                        "in 4 bits. Export the model it was quantised from, or merge an adapter into it with --base quantized");
    }

    private CommandRun export(String... options) {
        List<String> line = new ArrayList<>(List.of("export", "--model", model.toString()));
        line.addAll(List.of(options));
        return CommandRun.of(line.toArray(String[]::new));
    }

    private double loss(Path of, String... options) throws IOException {
        Path data = temporary.resolve("rows.jsonl");
        Files.writeString(data, "{\"prompt\": \"the fox\", \"completion\": \"jumps over the dog\"}\n");
        List<String> line = new ArrayList<>(List.of("evaluate", "--model", of.toString(), "--data", data.toString()));
        line.addAll(List.of("--no-packing", "--sequence-length", "64", "--method", "lora", "--precision", "fp32"));
        line.addAll(List.of("--model-cache", temporary.resolve("cache").toString()));
        line.addAll(List.of(options));
        CommandRun run = CommandRun.of(line.toArray(String[]::new));
        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        return ((Number) Objects.requireNonNull(JsonValues.of(run.summary()).get("loss"))).doubleValue();
    }
}
