package org.sparkqlora.weights.gguf;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class GgufBlockTest {
    @ParameterizedTest
    @EnumSource(GgufType.class)
    void readsTheNumbersThatTheReferenceReads(GgufType type) throws Exception {
        ByteBuffer blocks = golden(type + ".blocks");
        ByteBuffer expected = golden(type + ".floats");
        float[] found = new float[type.blockSize()];
        float[] wanted = new float[type.blockSize()];

        assertThat(blocks.remaining() % type.blockBytes()).isZero();
        for (int block = 0; block < blocks.remaining() / type.blockBytes(); block++) {
            GgufBlock.read(type, blocks, block * type.blockBytes(), found);
            expected.asFloatBuffer().get(block * wanted.length, wanted);
            assertThat(found).isEqualTo(wanted);
        }
    }

    @ParameterizedTest
    @EnumSource(GgufType.class)
    void readsATensorInAnyPieces(GgufType type) throws Exception {
        Path file = path(type + ".blocks");
        long elements = Files.size(file) / type.blockBytes() * type.blockSize();
        GgufTensor tensor = new GgufTensor(file, "t", type, new long[] {elements}, 0);
        float[] whole = new float[(int) elements];
        golden(type + ".floats").asFloatBuffer().get(whole);

        for (int piece : new int[] {1, 5, 7}) {
            float[] part = new float[piece];
            for (int from = 0; from + piece <= whole.length; from += piece) {
                tensor.asFloats().read(from, part, piece);
                assertThat(part).isEqualTo(Arrays.copyOfRange(whole, from, from + piece));
            }
        }
    }

    private static ByteBuffer golden(String name) throws IOException, URISyntaxException {
        return ByteBuffer.wrap(Files.readAllBytes(path(name))).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static Path path(String name) throws URISyntaxException {
        return Path.of(Objects.requireNonNull(GgufBlockTest.class.getResource("/goldens/gguf/" + name))
                .toURI());
    }
}
