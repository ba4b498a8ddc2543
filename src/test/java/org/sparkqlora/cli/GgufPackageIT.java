package org.sparkqlora.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.command.ExitCode;
import org.sparkqlora.options.Sessions;
import org.sparkqlora.weights.gguf.ExportGolden;

/** The gguf package reads exported files, and its quantisers and transformers compute what is in them. */
@Tag("platform")
class GgufPackageIT {
    private static final Path TIED = Path.of("src/test/resources/goldens/models/llama-tied");

    /** Two sums in float32; the logits are between -5 and 5. */
    private static final double TOLERANCE = 1e-4;

    @TempDir
    private static Path temporary;

    private static JsonNode theirs;

    @AfterAll
    static void stopSpark() {
        Sessions.stop();
    }

    @BeforeAll
    static void export() throws IOException, InterruptedException {
        PythonEnvironment python = PythonEnvironment.open();
        ObjectNode job = new ObjectMapper().createObjectNode();
        for (String variant : List.of("plain", "rslora", "patterns", "qv")) {
            exportAdapter(variant, job.withObject("/adapters").putObject(variant));
        }

        Path model = ExportGolden.of("qwen3").assemble(temporary.resolve("in"));
        for (String type : List.of("f32", "f16", "bf16", "q8_0", "q4_0")) {
            Path file = temporary.resolve(type + ".gguf");
            run("export", "--model", model, "--outtype", type, "--output", file);
            job.withObject("/files").put(type, file.toString());
        }

        Path result = temporary.resolve("result.json");
        python.run("check_gguf_exports.py", Files.writeString(temporary.resolve("job.json"), job.toString()), result);
        theirs = new ObjectMapper().readTree(result.toFile());
    }

    @ParameterizedTest
    @ValueSource(strings = {"plain", "rslora", "patterns", "qv"})
    void anAdapterAddedByHandGivesTheLogitsOfTheMergedModel(String variant) {
        JsonNode found = theirs.at("/adapters/" + variant);

        assertThat(found.path("difference").asDouble(1)).isLessThan(TOLERANCE);
        assertThat(found.path("effect").asDouble()).as("the adapter matters").isGreaterThan(0.01);
    }

    @ParameterizedTest
    @ValueSource(strings = {"f32", "f16", "bf16", "q8_0", "q4_0"})
    void tensorsAreThoseOfThePackagesQuantisers(String type) {
        JsonNode found = theirs.at("/types/" + type);

        assertThat(found.path("tensors").asInt()).isGreaterThan(10);
        assertThat(found.path("others")).isEmpty();
    }

    private static void exportAdapter(String variant, ObjectNode job) {
        Path base = TIED.resolve("base");
        Path adapter =
                (variant.equals("plain") ? TIED : TIED.resolve("variants").resolve(variant)).resolve("adapter");
        Path merged = temporary.resolve("merged-" + variant);
        Path lora = temporary.resolve(variant + ".gguf");
        run("merge", "--model", base, "--adapter", adapter, "--output", merged);
        run("export", "--model", base, "--adapter", adapter, "--adapter-only", "--output", lora);
        job.put("base", base.toAbsolutePath().toString());
        job.put("merged", merged.toString());
        job.put("lora", lora.toString());
    }

    private static void run(Object... line) {
        CommandRun run =
                CommandRun.of(List.of(line).stream().map(Object::toString).toArray(String[]::new));
        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
    }
}
