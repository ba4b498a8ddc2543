package org.sparkqlora.weights.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SafetensorsFileTest {
    private static final String ONE_TENSOR = "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}";

    @TempDir
    private Path folder;

    private Path file;

    @BeforeEach
    void nameFile() {
        file = folder.resolve("model.safetensors");
    }

    @Test
    void readsEveryFloatTypeAsFloats() throws IOException {
        ByteBuffer data = ByteBuffer.allocate(28).order(ByteOrder.LITTLE_ENDIAN);
        data.putDouble(0.1).putFloat(1.5f).putFloat(-2).putShort((short) 0x3fc0).putShort((short) 0x3e00);
        data.putLong(7);
        write("""
                {"__metadata__":{"format":"pt"},
                 "d":{"dtype":"F64","shape":[1],"data_offsets":[0,8]},
                 "f":{"dtype":"F32","shape":[2,1],"data_offsets":[8,16]},
                 "b":{"dtype":"BF16","shape":[],"data_offsets":[16,18]},
                 "h":{"dtype":"F16","shape":[1],"data_offsets":[18,20]},
                 "i":{"dtype":"I64","shape":[1],"data_offsets":[20,28]}}""", data.array());

        SafetensorsFile opened = SafetensorsFile.open(file);

        assertThat(opened.metadata()).containsEntry("format", "pt");
        assertThat(opened.names()).containsExactly("d", "f", "b", "h", "i");
        assertThat(floats(opened, "d")).containsExactly(0.1f);
        assertThat(floats(opened, "f")).containsExactly(1.5f, -2);
        assertThat(floats(opened, "b")).containsExactly(1.5f);
        assertThat(floats(opened, "h")).containsExactly(1.5f);
        assertThat(opened.tensor("f").shape()).containsExactly(2, 1);
        assertThat(opened.tensor("i").buffer().getLong()).isEqualTo(7);
        assertThatThrownBy(() -> opened.tensor("i").asFloats())
                .isInstanceOf(InvalidWeightsException.class)
                .hasMessage("Cannot read tensor i of %s as floats: expected F64, F32, F16 or BF16, found I64", file);
    }

    @Test
    void readsTensorsThatAreEmpty() throws IOException {
        write("{\"e\":{\"dtype\":\"F32\",\"shape\":[0,4],\"data_offsets\":[0,0]}}", new byte[0]);

        SafetensorsFile opened = SafetensorsFile.open(file);

        assertThat(opened.tensor("e").elements()).isZero();
        assertThat(opened.tensor("e").buffer().remaining()).isZero();
        assertThat(opened.tensor("e").asFloats().length()).isZero();
    }

    @Test
    void readsFilesAndTensorsAboveTwoGibibytes() throws IOException {
        long elements = (1L << 31) + 6;
        byte[] header =
                "{\"big\":{\"dtype\":\"U8\",\"shape\":[%d],\"data_offsets\":[0,%d]},\"bf\":{\"dtype\":\"BF16\",\"shape\":[%d],\"data_offsets\":[%d,%d]}}"
                        .formatted(elements, elements, elements / 2, elements, 2 * elements)
                        .getBytes(StandardCharsets.UTF_8);
        // sparse: only the bytes written here take room on disk
        try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
            sparse.write(ByteBuffer.allocate(8)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putLong(header.length)
                    .array());
            sparse.write(header);
            sparse.setLength(8 + header.length + 2 * elements);
            sparse.seek(8 + header.length + elements - 1);
            sparse.write(42);
            sparse.seek(8 + header.length + 2 * elements - 2);
            sparse.write(new byte[] {(byte) 0xc0, 0x3f});
        }

        SafetensorsFile opened = SafetensorsFile.open(file);
        StoredTensor big = opened.tensor("big");
        float[] last = new float[2];
        opened.tensor("bf").asFloats().read(elements / 2 - 2, last, 2);

        assertThat(big.buffer(elements - 1, 1).get()).isEqualTo((byte) 42);
        assertThat(last).containsExactly(0, 1.5f);
        assertThatThrownBy(big::buffer)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "Cannot map tensor big of %s as one buffer: expected at most 2147483647 bytes, found 2147483654. Read it in parts.",
                        file);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{\"a\":{\"dtype\":\"F33\",\"shape\":[2],\"data_offsets\":[0,8]}} | Cannot read tensor a of FILE: expected a known dtype, found \"F33\"",
                "{\"a\":{\"shape\":[2],\"data_offsets\":[0,8]}} | Cannot read tensor a of FILE: expected a known dtype, found none",
                "{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,8]}} | Cannot read tensor a of FILE: expected a list of numbers for shape, found none",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}} | Cannot read tensor a of FILE: expected whole numbers of at least 0 for shape, found [-2]",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[2.5],\"data_offsets\":[0,8]}} | Cannot read tensor a of FILE: expected whole numbers of at least 0 for shape, found [2.5]",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[3000000000,4000000000],\"data_offsets\":[0,8]}} | Cannot read tensor a of FILE: expected a shape whose bytes can be counted, found a F32[3000000000, 4000000000]",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]}} | Cannot read tensor a of FILE: expected two ascending numbers for data_offsets, found [8,0]",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0]}} | Cannot read tensor a of FILE: expected two ascending numbers for data_offsets, found [0]",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}} | Cannot read tensor a of FILE: expected 12 bytes for F32[3] at byte 62, found data_offsets of 8 bytes",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}} | Cannot read tensor a of FILE: expected it to begin at byte 62, where the tensor before it ends, found byte 66",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,16]}} | Cannot read tensor a of FILE: expected bytes 63 to 79, found the end of the file at byte 71. Was the copy or download cut off?",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}} | Cannot read FILE: expected the file to end at byte 66, found 70 bytes",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},\"a\":{}} | Cannot read the header of FILE at byte 8: expected a JSON object, found text that is not JSON (Duplicate field 'a' at character 57)",
                "[] | Cannot read the header of FILE at byte 8: expected a JSON object, found []",
            })
    void refusesHeadersThatDoNotFitTheFile(String header, String message) throws IOException {
        write(header, new byte[8]);

        assertThatThrownBy(() -> SafetensorsFile.open(file))
                .isInstanceOf(InvalidWeightsException.class)
                .hasMessage(message.replace("FILE", file.toString()));
    }

    @Test
    void refusesTensorsThatOverlap() throws IOException {
        write("""
                {"a":{"dtype":"U8","shape":[6],"data_offsets":[0,6]},"b":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}}""", new byte[8]);

        assertThatThrownBy(() -> SafetensorsFile.open(file))
                .isInstanceOf(InvalidWeightsException.class)
                .hasMessage(
                        "Cannot read tensor b of %s: expected it to begin at byte 119, where the tensor before it ends, found byte 117",
                        file);
    }

    @Test
    void refusesFilesTooShortForAHeader() throws IOException {
        Files.write(file, new byte[5]);

        assertThatThrownBy(() -> SafetensorsFile.open(file))
                .isInstanceOf(InvalidWeightsException.class)
                .hasMessage(
                        "Cannot read %s: expected a header length in the first 8 bytes, found a file of 5 bytes", file);
    }

    @ParameterizedTest
    @CsvSource({"100, 100", "-1, 18446744073709551615", "9223372036854775807, 9223372036854775807"})
    void refusesHeaderLengthsBeyondTheFile(long length, String shown) throws IOException {
        Files.write(
                file,
                ByteBuffer.allocate(20)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .putLong(length)
                        .array());

        assertThatThrownBy(() -> SafetensorsFile.open(file))
                .isInstanceOf(InvalidWeightsException.class)
                .hasMessage(
                        "Cannot read %s: expected a header of at most 12 bytes, found a length of %s at byte 0. Is it a safetensors file?",
                        file, shown);
    }

    @Test
    void refusesNamesThatTheFileDoesNotHave() throws IOException {
        write(ONE_TENSOR, new byte[8]);

        assertThatThrownBy(() -> SafetensorsFile.open(file).tensor("b"))
                .isInstanceOf(InvalidWeightsException.class)
                .hasMessage("Cannot read tensor b of %s: the file has no such tensor among its 1", file);
    }

    @Test
    void saysThatTheFileIsMissing() {
        assertThatThrownBy(() -> SafetensorsFile.open(file))
                .isInstanceOf(InvalidWeightsException.class)
                .hasMessage("Cannot read %s: the file does not exist", file);
    }

    @Test
    void noticesThatTheFileWasCutAfterItWasOpened() throws IOException {
        write(ONE_TENSOR, new byte[8]);
        SafetensorsFile opened = SafetensorsFile.open(file);
        long size = Files.size(file);
        Files.write(file, new byte[10]);

        assertThatThrownBy(() -> opened.tensor("a").buffer())
                .isInstanceOf(InvalidWeightsException.class)
                .hasMessage(
                        "Cannot map tensor a of %s: expected bytes up to %d, found the end of the file at byte 10",
                        file, size);
    }

    @Test
    void refusesRangesOutsideATensor() throws IOException {
        write(ONE_TENSOR, new byte[8]);
        StoredTensor tensor = SafetensorsFile.open(file).tensor("a");

        assertThatThrownBy(() -> tensor.buffer(4, 5))
                .isInstanceOf(IndexOutOfBoundsException.class)
                .hasMessage("Range [4, 4 + 5) out of bounds for length 8");
        assertThatThrownBy(() -> tensor.asFloats().read(1, new float[2], 2))
                .isInstanceOf(IndexOutOfBoundsException.class)
                .hasMessage("Range [1, 1 + 2) out of bounds for length 2");
    }

    private void write(String header, byte[] data) throws IOException {
        byte[] text = header.getBytes(StandardCharsets.UTF_8);
        ByteBuffer whole = ByteBuffer.allocate(8 + text.length + data.length).order(ByteOrder.LITTLE_ENDIAN);
        Files.write(file, whole.putLong(text.length).put(text).put(data).array());
    }

    private static float[] floats(SafetensorsFile file, String name) {
        StoredTensor tensor = file.tensor(name);
        float[] values = new float[Math.toIntExact(tensor.elements())];
        tensor.asFloats().read(0, values, values.length);
        return values;
    }
}
