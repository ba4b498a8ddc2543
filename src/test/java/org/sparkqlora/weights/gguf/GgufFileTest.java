package org.sparkqlora.weights.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.weights.safetensors.InvalidWeightsException;

class GgufFileTest {
    @TempDir
    private Path temporary;

    static LongStream seeds() {
        return LongStream.range(0, 20);
    }

    @Test
    void readsMetadataAndPlaces() throws IOException {
        GgufFile file = GgufFile.open(write(valid().array()));

        assertThat(file.metadata().text("a.text")).isEqualTo("Ġ");
        assertThat(file.metadata().count("a.count")).isEqualTo(7);
        assertThat(file.metadata().number("a.number", 0)).isEqualTo(1e-5);
        assertThat(file.tensors().keySet()).containsExactly("one", "two");
        GgufTensor second = Objects.requireNonNull(file.tensors().get("two"));
        assertThat(second.position() % 32).isZero();
        float[] values = new float[2];
        second.asFloats().read(1, values, 2);
        assertThat(values).containsExactly(5, 6);
    }

    @Test
    void refusesAnotherKindOfFile() throws IOException {
        byte[] bytes = valid().array();
        bytes[0] = 'g';

        assertRefused(
                bytes, "Cannot read %s: expected the letters GGUF at byte 0, found 0x46554767. Is it a .gguf file?");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 4, 50331648})
    void refusesOtherVersions(int version) throws IOException {
        byte[] bytes = valid().array();
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putInt(4, version);

        assertRefused(
                bytes,
                "Cannot read %%s: expected version 2 or 3, little endian at byte 4, found %d".formatted(version));
    }

    @Test
    void refusesAFileThatEndsWithinItsHeaderOrData() throws IOException {
        byte[] bytes = valid().array();
        for (int length = 0; length < bytes.length - 16; length++) {
            Path file = write(Arrays.copyOf(bytes, length));
            assertThatThrownBy(() -> GgufFile.open(file))
                    .isInstanceOf(InvalidWeightsException.class)
                    .hasMessageStartingWith("Cannot read ")
                    .hasMessageContaining("expected ");
        }
    }

    @Test
    void believesNoCountThatTheFileCannotHold() throws IOException {
        assertRefused(
                GgufBytes.header(1L << 60, 0),
                "Cannot read %s: expected the length of the list of tensors, at most 0 at byte 8, found 1152921504606846976");
        assertRefused(
                GgufBytes.header(0, -1),
                "Cannot read %s: expected the length of the metadata, at most 0 at byte 16, found 18446744073709551615");
        byte[] hugeList = ByteBuffer.allocate(16)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(9)
                .putInt(0)
                .putLong(Integer.MAX_VALUE)
                .array();
        assertRefused(
                new GgufBytes().putRaw("k", hugeList).array(),
                "Cannot read %s: expected the length of a list, at most");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 7, 8, 12})
    void believesNoLengthThatNoModelNeeds(int elementType) throws IOException {
        byte[] list = ByteBuffer.allocate(16)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(9)
                .putInt(elementType)
                .putLong(1 << 30)
                .array();
        byte[] text = ByteBuffer.allocate(12)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(8)
                .putLong(1 << 30)
                .array();

        assertRefusedInAVastFile(
                new GgufBytes().putRaw("k", list), "Cannot read %s: expected the length of a list, at most 8388608 at");
        assertRefusedInAVastFile(
                new GgufBytes().putRaw("k", text),
                "Cannot read %s: expected the length of a text, at most 16777216 at");
    }

    @Test
    void refusesNamesThatAreThereTwice() throws IOException {
        byte[] twoKeys = new GgufBytes().put("a.a", 1).put("a.b", 2).array();
        twoKeys[new String(twoKeys, StandardCharsets.ISO_8859_1).indexOf("a.b") + 2] = 'a';
        assertRefused(twoKeys, "Cannot read %s: expected each key once at byte ");
        assertRefused(
                new GgufBytes()
                        .tensor("t", new long[] {1}, new float[1])
                        .tensor("t", new long[] {1}, new float[1])
                        .array(),
                "Cannot read tensor t of %s: expected one tensor of that name, found another");
    }

    /** A file of 8 GiB that takes no room on disk. */
    private void assertRefusedInAVastFile(GgufBytes head, String message) throws IOException {
        Path file = write(head.array());
        try (RandomAccessFile vast = new RandomAccessFile(file.toFile(), "rw")) {
            vast.setLength(8L << 30);
        }

        assertThatThrownBy(() -> GgufFile.open(file))
                .isInstanceOf(InvalidWeightsException.class)
                .hasMessageStartingWith(message.formatted(file));
    }

    @Test
    void refusesListsOfLists() throws IOException {
        byte[] nested = ByteBuffer.allocate(17)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(9)
                .putInt(9)
                .putLong(1)
                .array();

        assertRefused(
                new GgufBytes().putRaw("k", nested).array(), "Cannot read %s: expected the type of a value, 0 to 12");
    }

    @ParameterizedTest
    @ValueSource(longs = {-32, 64, Long.MAX_VALUE})
    void refusesATensorOutsideTheFile(long offset) throws IOException {
        assertRefused(
                new GgufBytes().announce("far", new long[] {4}, 0, offset).array(),
                "Cannot read tensor far of %s: expected 16 bytes within the");
    }

    @Test
    void refusesShapesThatCannotBe() throws IOException {
        assertRefused(
                new GgufBytes()
                        .announce("vast", new long[] {1L << 40, 1L << 40}, 0, 0)
                        .array(),
                "Cannot read %s: expected a possible shape of tensor vast");
        assertRefused(
                new GgufBytes().announce("none", new long[] {0}, 0, 0).array(),
                "Cannot read %s: expected a possible shape of tensor none");
        assertRefused(
                new GgufBytes().announce("deep", new long[5], 0, 0).array(),
                "Cannot read %s: expected 1 to 4 dimensions of tensor deep");
        assertRefused(
                new GgufBytes().announce("odd", new long[] {2, 33}, 8, 0).array(),
                "Cannot read tensor odd of %s: expected rows of whole blocks of 32, found 33 numbers");
    }

    @Test
    void namesTheTypesThatItKnows() throws IOException {
        assertRefused(
                new GgufBytes().announce("iq", new long[] {256}, 16, 0).array(),
                "Unsupported type 16 of tensor iq in %s: expected one of [F32, F16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q2_K, Q3_K, Q4_K, Q5_K, Q6_K, BF16]");
    }

    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    void refusesDamageWithAnErrorOfItsOwnOrReadsOn(long seed) throws IOException {
        SplittableRandom random = new SplittableRandom(seed);
        byte[] bytes = valid().array();
        for (int i = 0; i < 50; i++) {
            byte[] damaged = bytes.clone();
            damaged[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
            Path file = write(damaged);
            try {
                assertThat(GgufFile.open(file).tensors()).hasSizeLessThanOrEqualTo(2);
            } catch (InvalidWeightsException e) {
                assertThat(e).hasMessageContaining(file.toString());
            }
        }
    }

    private static GgufBytes valid() {
        return new GgufBytes()
                .put("a.text", "Ġ")
                .put("a.count", 7)
                .put("a.number", 1e-5f)
                .tensor("one", new long[] {1}, new float[] {1})
                .tensor("two", new long[] {2, 2}, new float[] {4, 5, 6, 7});
    }

    private void assertRefused(byte[] bytes, String message) throws IOException {
        Path file = write(bytes);
        assertThatThrownBy(() -> GgufFile.open(file))
                .isInstanceOf(InvalidWeightsException.class)
                .hasMessageStartingWith(message.formatted(file));
    }

    private Path write(byte[] bytes) throws IOException {
        return Files.write(temporary.resolve("m.gguf"), bytes);
    }
}
