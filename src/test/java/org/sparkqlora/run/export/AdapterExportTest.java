package org.sparkqlora.run.export;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.options.Overlap;
import org.sparkqlora.spark.cluster.Location;
import org.sparkqlora.storage.Sha256;
import org.sparkqlora.weights.gguf.ExportGolden;
import org.sparkqlora.weights.gguf.GgufOutType;

class AdapterExportTest {
    private static final String MIXTURES = "qwen3-moe";

    @TempDir
    Path temporary;

    static Stream<Arguments> exports() throws IOException {
        return ExportGolden.names().stream()
                .filter(name -> !name.startsWith(MIXTURES))
                .flatMap(name -> Stream.of(GgufOutType.F32, GgufOutType.F16, GgufOutType.Q8_0)
                        .map(type -> Arguments.of(name, type)));
    }

    @ParameterizedTest(name = "{0} {1}")
    @MethodSource("exports")
    void aFileIsByteForByteThatOfLlamaCpp(String name, GgufOutType type) throws IOException {
        ExportGolden golden = ExportGolden.of(name);
        Path adapter = adapter(golden);

        ExportedFile written = export(golden, adapter, type);

        Path file = written.file().local();
        assertThat(file.getFileName())
                .hasToString(
                        golden.file("lora-" + type.optionName()).path("name").asText());
        assertThat(Sha256.hex(Files.readAllBytes(file)))
                .isEqualTo(
                        golden.file("lora-" + type.optionName()).path("sha256").asText());
    }

    @ParameterizedTest
    @ValueSource(strings = {MIXTURES, MIXTURES + "-a1b"})
    void adaptersOfExpertsDoNotFitIntoAFile(String name) throws IOException {
        ExportGolden golden = ExportGolden.of(name);
        Path adapter = adapter(golden);

        assertThatThrownBy(() -> export(golden, adapter, GgufOutType.F32))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "Cannot export %s as a GGUF LoRA: expected A and B alone, found an adapter of experts (target_parameters). Export the merged model instead, without --adapter-only",
                        adapter);
    }

    @Test
    void aMagnitudeDoesNotFitIntoAFile() throws IOException {
        ExportGolden golden = ExportGolden.of("llama-yarn");
        Path adapter = adapter(golden);
        Path config = adapter.resolve("adapter_config.json");
        Files.writeString(config, Files.readString(config).replace("\"use_dora\": false", "\"use_dora\": true"));

        assertThatThrownBy(() -> export(golden, adapter, GgufOutType.F32))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "Cannot export %s as a GGUF LoRA: expected A and B alone, found DoRA's magnitudes. Export the merged model instead, without --adapter-only",
                        adapter);
    }

    private ExportedFile export(ExportGolden golden, Path adapter, GgufOutType type) throws IOException {
        Path model = golden.assemble(temporary.resolve("in"));
        Location target = Location.of(Files.createDirectories(temporary.resolve("out")));
        return new AdapterExport(model, Location.of(adapter), type, Optional.empty())
                .write(new GgufTarget(
                        target, GgufTarget.Existing.REFUSE, new Overlap.Input("--model", Location.of(model))));
    }

    private Path adapter(ExportGolden golden) throws IOException {
        Path copy = Files.createDirectories(temporary.resolve("tuned-lora"));
        try (DirectoryStream<Path> files = Files.newDirectoryStream(golden.adapter())) {
            for (Path file : files) {
                Files.copy(file, copy.resolve(file.getFileName()));
            }
        }

        return copy;
    }
}
