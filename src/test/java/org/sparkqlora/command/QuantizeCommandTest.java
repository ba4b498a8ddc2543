package org.sparkqlora.command;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.cli.CommandRun;
import org.sparkqlora.options.Sessions;
import org.sparkqlora.quant.FourBitCode;
import org.sparkqlora.quant.FourBitTensor;
import org.sparkqlora.weights.WeightFolder;

class QuantizeCommandTest {
    private static final String MODEL = "src/test/resources/goldens/models/llama-sharded/base";

    @TempDir
    private Path temporary;

    @AfterAll
    static void stopSpark() {
        Sessions.stop();
    }

    @Test
    void writesAFolderInFourBitsAndSaysWhatItCost() {
        Path output = temporary.resolve("q4");

        CommandRun run = CommandRun.of("quantize", "--model", MODEL, "--output", output.toString());

        assertThat(run.code()).isEqualTo(ExitCode.OK);
        assertThat(run.summary())
                .startsWith("{\"command\":\"quantize\",\"output\":\"%s\",\"quantized_weights\":".formatted(output))
                .contains(
                        "\"bytes_before\":", "\"bytes_after\":", "\"bits_per_weight\":", "\"mean_absolute_error\":0.0");
        try (WeightFolder written = WeightFolder.open(output)) {
            written.checkShapes();
            assertThat(written.quantized()).isTrue();
        }
    }

    @Test
    void takesCodeBlockSizeAndScalesFromTheOptions() {
        Path output = temporary.resolve("q4");

        CommandRun run = CommandRun.of(
                "quantize",
                "--model",
                MODEL,
                "--output",
                output.toString(),
                "--quant",
                "fp4",
                "--block-size",
                "128",
                "--no-double-quant");

        assertThat(run.code()).isEqualTo(ExitCode.OK);
        try (WeightFolder written = WeightFolder.open(output)) {
            FourBitTensor weight =
                    written.fourBit("model.layers.0.mlp.up_proj.weight").orElseThrow();
            assertThat(weight.levels()).isEqualTo(FourBitCode.FP4.levels());
            assertThat(weight.blockSize()).isEqualTo(128);
        }
        assertThat(output.resolve("config.json"))
                .content()
                .contains("\"bnb_4bit_quant_type\": \"fp4\"", "\"bnb_4bit_use_double_quant\": false");
    }

    @Test
    void reportsEveryProblemAtOnceAndTouchesNothing() throws IOException {
        Path output = Files.createDirectory(temporary.resolve("there"));
        Path foreign = Files.writeString(output.resolve("README.md"), "somebody's");

        CommandRun run =
                CommandRun.of("quantize", "--model", "/no/such", "--output", output.toString(), "--block-size", "65");

        assertThat(run.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err())
                .contains(
                        "--model: Cannot open model /no/such: expected a folder or a .gguf file, found nothing",
                        "--output: Cannot write %s: expected a folder that does not exist yet, found one"
                                .formatted(output),
                        "--block-size: Cannot");
        assertThat(output.toFile().list()).containsExactly("README.md");
        assertThat(foreign).hasContent("somebody's");
    }

    @Test
    void refusesAModelThatIsInFourBitsAlready() {
        Path first = temporary.resolve("q4");
        CommandRun.of("quantize", "--model", MODEL, "--output", first.toString());
        Path second = temporary.resolve("again");

        CommandRun run = CommandRun.of("quantize", "--model", first.toString(), "--output", second.toString());

        assertThat(run.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err())
                .contains("Cannot quantise %s: expected weights as they were trained, found 4-bit weights"
                        .formatted(first));
        assertThat(second).doesNotExist();
    }
}
