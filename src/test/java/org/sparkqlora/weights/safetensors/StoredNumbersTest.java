package org.sparkqlora.weights.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

class StoredNumbersTest {
    static LongStream seeds() {
        return LongStream.range(0, 3);
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "F16", "BF16", "F64"})
    void readsBackNumbersThatEveryTypeHolds(StoredType type) {
        float[] values = {0, 1, -1.5f, 0.125f, 100};
        ByteBuffer stored = ByteBuffer.allocate(values.length * type.bytes());
        StoredNumbers.narrow(type, values, 0, values.length, stored);

        float[] read = new float[4];
        StoredNumbers.widen(type, stored, 2, read, 1, 3);

        assertThat(stored.hasRemaining()).isFalse();
        assertThat(read).containsExactly(0, -1.5f, 0.125f, 100);
    }

    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    void roundsToTheNearestBfloat16(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        for (int i = 0; i < 1_000; i++) {
            float value = (float) (random.nextDouble() - 0.5);
            float rounded = throughBfloat16(value);
            float step = Math.ulp(rounded) * 0x1p16f;
            assertThat(Math.abs(rounded - value)).isLessThanOrEqualTo(step / 2);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "3f808000, 3f80",
        "3f818000, 3f82",
        "3f808001, 3f81",
        "7f7fffff, 7f80",
        "7fc00000, 7fc0",
        "7f800001, 7fc0",
        "ff800000, ff80"
    })
    void roundsTiesToEvenAndKeepsNaN(String bits, String expected) {
        ByteBuffer stored = ByteBuffer.allocate(2);
        float value = Float.intBitsToFloat(Integer.parseUnsignedInt(bits, 16));
        StoredNumbers.narrow(StoredType.BF16, new float[] {value}, 0, 1, stored);

        assertThat(stored.order(ByteOrder.LITTLE_ENDIAN).getShort(0)).isEqualTo((short) Integer.parseInt(expected, 16));
    }

    @Test
    void refusesTypesThatAreNotFloatingPoint() {
        String message = "Cannot use I32 as floating-point numbers: expected F64, F32, F16 or BF16";
        assertThatThrownBy(() -> StoredNumbers.widen(StoredType.I32, ByteBuffer.allocate(4), 0, new float[1], 0, 1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(message);
        assertThatThrownBy(() -> StoredNumbers.narrow(StoredType.I32, new float[1], 0, 1, ByteBuffer.allocate(4)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(message);
    }

    private static float throughBfloat16(float value) {
        ByteBuffer stored = ByteBuffer.allocate(2);
        StoredNumbers.narrow(StoredType.BF16, new float[] {value}, 0, 1, stored);
        float[] read = new float[1];
        StoredNumbers.widen(StoredType.BF16, stored, 0, read, 0, 1);
        return read[0];
    }
}
