package org.sparkqlora.tokenizer.packing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.sparkqlora.tokenizer.EncodedExample;

class TokenRowCodecTest {
    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    void readsWhatItWrote(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        int width = random.nextInt(2, 70);
        List<TokenRow> rows = PackedRows.of(
                IntStream.range(0, 10).mapToObj(i -> example(random, width)).toList(), width);
        ByteBuffer bytes = ByteBuffer.allocate(rows.size() * TokenRowCodec.byteSize(width));
        rows.forEach(row -> TokenRowCodec.write(row, bytes));
        assertThat(bytes.hasRemaining()).isFalse();

        bytes.flip();
        assertThat(rows)
                .allSatisfy(row -> assertThat(TokenRowCodec.read(bytes, width)).isEqualTo(row));
    }

    @Test
    void bytesAreLittleEndianWithLowBitsFirst() {
        TokenRow row = new TokenRow(
                new int[] {1, 258, 3, 0},
                new boolean[] {false, true, false, false},
                new boolean[] {true, false, true, false},
                3);
        ByteBuffer bytes = ByteBuffer.allocate(TokenRowCodec.byteSize(4));
        TokenRowCodec.write(row, bytes);

        assertThat(HexFormat.of().formatHex(bytes.array()))
                .isEqualTo("03000000" + "01000000" + "02010000" + "03000000" + "00000000" + "02" + "05");
    }

    @Test
    void refusesABufferThatEndsTooEarly() {
        assertThatThrownBy(() -> TokenRowCodec.read(ByteBuffer.allocate(10), 8))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Cannot use a buffer for a row of width 8: expected 38 bytes, found 10");
    }

    @Test
    void refusesDamagedRows() {
        assertThatThrownBy(() -> TokenRowCodec.read(ByteBuffer.allocate(38), 8))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Cannot make a row of width 8: expected 1 to 8 tokens, found 0");
    }

    private static LongStream seeds() {
        return LongStream.range(0, 30);
    }

    private static EncodedExample example(SplittableRandom random, int width) {
        int[] ids =
                random.ints(random.nextInt(1, width + 1), 0, Integer.MAX_VALUE).toArray();
        boolean[] trained = new boolean[ids.length];
        IntStream.range(0, ids.length).forEach(t -> trained[t] = random.nextBoolean());
        return new EncodedExample(ids, trained);
    }
}
