package org.sparkqlora.weights.gguf;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.sparkqlora.weights.safetensors.InvalidWeightsException;

class GgufModelTest {
    /** The golden's metadata and list of tensors end before it. */
    private static final int HEADER = 4672;

    @TempDir
    private Path temporary;

    static LongStream seeds() {
        return LongStream.range(0, 40);
    }

    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    void refusesDamageWithAnErrorOfItsOwnOrReadsOn(long seed) throws IOException, URISyntaxException {
        SplittableRandom random = new SplittableRandom(seed);
        byte[] whole = Files.readAllBytes(golden());
        for (int i = 0; i < 100; i++) {
            byte[] damaged = whole.clone();
            damaged[random.nextInt(HEADER)] ^= (byte) (1 << random.nextInt(8));
            Path file = Files.write(temporary.resolve("m.gguf"), damaged);
            try {
                assertThat(GgufModel.open(file).tensors()).hasSize(20);
            } catch (InvalidWeightsException e) {
                assertThat(e).hasMessageContaining(file.toString());
            }
        }
    }

    private static Path golden() throws URISyntaxException {
        return Path.of(Objects.requireNonNull(GgufModelTest.class.getResource("/goldens/gguf/models/llama3.gguf"))
                .toURI());
    }
}
