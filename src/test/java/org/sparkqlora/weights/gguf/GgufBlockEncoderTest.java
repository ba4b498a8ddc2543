package org.sparkqlora.weights.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** The blocks are of {@code src/test/python/make_gguf_quantized_goldens.py}: ggml's own quantisers. */
class GgufBlockEncoderTest {
    private static final Path GOLDENS = Path.of("src/test/resources/goldens/gguf/quantized");

    @ParameterizedTest
    @EnumSource(
            value = GgufType.class,
            names = {"Q4_0", "Q5_0", "Q8_0", "Q4_K", "Q5_K", "Q6_K"})
    void blocksAreThoseOfGgml(GgufType type) throws IOException {
        byte[] expected = Files.readAllBytes(GOLDENS.resolve(type + ".blocks"));

        ByteBuffer written = encode(type, numbers());

        for (int block = 0; block * type.blockBytes() < expected.length; block++) {
            byte[] found = new byte[type.blockBytes()];
            written.get(block * type.blockBytes(), found);
            assertThat(found)
                    .as("block %d", block)
                    .containsExactly(
                            Arrays.copyOfRange(expected, block * type.blockBytes(), (block + 1) * type.blockBytes()));
        }
    }

    /** Root of the mean squared error of normal numbers, in their standard deviations, is what the bits allow. */
    @ParameterizedTest
    @CsvSource({"Q4_0, 0.12", "Q4_K, 0.08", "Q5_0, 0.06", "Q5_K, 0.04", "Q6_K, 0.021", "Q8_0, 0.0065"})
    void whatIsReadBackIsNear(GgufType type, double most) throws IOException {
        float[] values = Arrays.copyOf(numbers(), 8 * 256);

        ByteBuffer written = encode(type, values);

        double squares = 0;
        double errors = 0;
        float[] block = new float[type.blockSize()];
        for (int at = 0; at < values.length; at += type.blockSize()) {
            GgufBlock.read(type, written, at / type.blockSize() * type.blockBytes(), block);
            for (int i = 0; i < block.length; i++) {
                squares += (double) values[at + i] * values[at + i];
                errors += Math.pow((double) values[at + i] - block[i], 2);
            }
        }

        assertThat(Math.sqrt(errors / squares)).isPositive().isLessThan(most);
    }

    @Test
    void noFileIsMadeOfOtherTypes() {
        assertThatThrownBy(() -> encode(GgufType.Q2_K, new float[256]))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("Cannot write blocks of Q2_K: no file is made of them");
    }

    private static float[] numbers() throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(GOLDENS.resolve("numbers.floats")))
                .order(ByteOrder.LITTLE_ENDIAN);
        float[] numbers = new float[bytes.remaining() / 4];
        bytes.asFloatBuffer().get(numbers);
        return numbers;
    }

    private static ByteBuffer encode(GgufType type, float[] values) {
        ByteBuffer bytes = ByteBuffer.allocate(values.length / type.blockSize() * type.blockBytes())
                .order(ByteOrder.LITTLE_ENDIAN);
        GgufBlockEncoder encoder = new GgufBlockEncoder();
        for (int at = 0; at < values.length; at += type.blockSize()) {
            encoder.write(type, values, at, bytes, at / type.blockSize() * type.blockBytes());
        }

        return bytes;
    }
}
