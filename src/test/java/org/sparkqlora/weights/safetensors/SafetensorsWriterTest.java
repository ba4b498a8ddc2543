package org.sparkqlora.weights.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.weights.Goldens;

class SafetensorsWriterTest {
    private static final TensorSpec BYTES = TensorSpec.of("bytes", StoredType.U8, 3);
    private static final TensorSpec FLOATS = TensorSpec.of("floats", StoredType.F32, 1, 2);

    @TempDir
    private Path folder;

    private Path file;

    @BeforeEach
    void nameFile() {
        file = folder.resolve("model.safetensors");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "models/llama-tied/base/model.safetensors",
                "models/llama-rope3-bf16/base/model.safetensors",
                "models/llama-tied/variants/dora/adapter/adapter_model.safetensors",
                "models/llama-tied/quantized.safetensors",
                "bnb-4bit/nf4_dq_u8_30x50.safetensors",
                "bnb-4bit/nf4_dq_bf16_48x192.safetensors",
                "bnb-4bit/fp4_plain_bf16_30x50.safetensors"
            })
    void writesTheSameBytesAsTheReferenceLibrary(String golden) throws IOException {
        SafetensorsFile original = SafetensorsFile.open(Goldens.path(golden));

        try (SafetensorsWriter writer = SafetensorsWriter.create(file, original.metadata(), specs(original))) {
            original.names().forEach(name -> writer.copy(original.tensor(name)));
            writer.commit();
        }

        assertThat(file).hasSameBinaryContentAs(original.path());
    }

    @Test
    void takesPiecesInAnyOrder() {
        try (SafetensorsWriter writer = SafetensorsWriter.create(file, Map.of(), List.of(BYTES, FLOATS))) {
            writer.write("bytes", 2, ByteBuffer.wrap(new byte[] {3}));
            writer.write("floats", ByteBuffer.wrap(new byte[8]));
            writer.write("bytes", 0, ByteBuffer.wrap(new byte[] {1, 2}));
            writer.commit();
        }

        byte[] bytes = new byte[3];
        SafetensorsFile.open(file).tensor("bytes").buffer().get(bytes);
        assertThat(bytes).containsExactly(1, 2, 3);
    }

    @Test
    void laysTextsOfUnknownLengthAtTheEnd() {
        try (SafetensorsWriter writer =
                SafetensorsWriter.create(file, Map.of(), List.of(BYTES), List.of("z", "a"), 1_000)) {
            writer.write("bytes", ByteBuffer.wrap(new byte[3]));
            writer.writeText("z", "zet".getBytes(StandardCharsets.UTF_8));
            writer.writeText("a", "aaaa".getBytes(StandardCharsets.UTF_8));
            writer.commit();
        }

        SafetensorsFile opened = SafetensorsFile.open(file);
        assertThat(opened.names()).containsExactly("bytes", "a", "z");
        assertThat(StandardCharsets.UTF_8.decode(opened.tensor("z").buffer()).toString())
                .isEqualTo("zet");
    }

    @Test
    void aFileThatDoesNotFitOnTheDiskIsNotBegun() throws IOException {
        TensorSpec large = TensorSpec.of("large", StoredType.U8, 1L << 50);

        assertThatThrownBy(() -> SafetensorsWriter.create(file, Map.of(), List.of(large)))
                .isInstanceOf(UncheckedIOException.class)
                .hasMessage("Failed to write " + file)
                .rootCause()
                .hasMessageStartingWith(
                        "Cannot write 1125899.9 GB to %s: expected as much free on its disk, found".formatted(file));
        assertThat(names(folder)).isEmpty();
    }

    @Test
    void leavesNothingWhenItIsNotCommitted() throws IOException {
        Files.writeString(file, "old");
        try (SafetensorsWriter writer = SafetensorsWriter.create(file, Map.of(), List.of(BYTES))) {
            writer.write("bytes", ByteBuffer.wrap(new byte[3]));
        }

        assertThat(file).hasContent("old");
        assertThat(names(folder)).containsExactly("model.safetensors");
    }

    @Test
    void refusesToCompleteWithoutAllBytes() {
        try (SafetensorsWriter writer = SafetensorsWriter.create(file, Map.of(), List.of(BYTES), List.of("text"), 10)) {
            writer.write("bytes", 1, ByteBuffer.wrap(new byte[1]));
            assertThatThrownBy(writer::commit)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("Cannot complete %s: expected 3 bytes of tensor bytes, found 1", file);
            writer.write("bytes", 0, ByteBuffer.wrap(new byte[2]));
            assertThatThrownBy(writer::commit)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("Cannot complete %s: expected a text for tensor text, found none", file);
        }

        assertThat(file).doesNotExist();
    }

    @Test
    void refusesTensorsThatWereNotAnnouncedOrAreTooLong() {
        try (SafetensorsWriter writer = SafetensorsWriter.create(file, Map.of(), List.of(BYTES))) {
            assertThatThrownBy(() -> writer.write("other", ByteBuffer.allocate(1)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("Cannot write tensor other to %s: it was not announced", file);
            assertThatThrownBy(() -> writer.write("bytes", 2, ByteBuffer.allocate(2)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("Cannot write tensor bytes to %s: expected at most 3 bytes, found 4", file);
        }
    }

    @Test
    void saysWhichFileCouldNotBeWritten() {
        Path missing = folder.resolve("missing/model.safetensors");

        assertThatThrownBy(() -> SafetensorsWriter.create(missing, Map.of(), List.of(BYTES)))
                .isInstanceOf(UncheckedIOException.class)
                .hasMessage("Failed to write %s", missing);
    }

    private static List<TensorSpec> specs(SafetensorsFile file) {
        return file.names().stream().map(name -> file.tensor(name).spec()).toList();
    }

    private static List<String> names(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(path -> path.getFileName().toString()).toList();
        }
    }
}
