package org.sparkqlora.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.OptionalDouble;
import java.util.stream.Stream;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.sparkqlora.model.GoldenModel.Mode;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.weights.WeightFolder;

/** Recomputation affects memory and time alone. */
@NullMarked
class RecomputeTest {
    private static final long PASS_SEED = 7;

    @TempDir
    private Path cache;

    static Stream<Arguments> models() {
        return Stream.of(
                        "llama-tied",
                        "gemma2",
                        "gemma3_text",
                        "olmo2",
                        "phi3",
                        "qwen3_5_text",
                        "gemma4_text",
                        "gemma4_text-keys",
                        "qwen3_moe-sparse",
                        "llama-tied/variants/dora")
                .flatMap(name -> Stream.of(1, 2).map(threads -> Arguments.of(name, threads)));
    }

    @ParameterizedTest(name = "{0} on {1} threads")
    @MethodSource("models")
    void gradientsAreTheSameBitForBit(String name, int threads) {
        FlatVector all = gradient(name, 1, Recompute.ALL);

        assertSame(gradient(name, threads, Recompute.OFFLOAD), all);
        assertSame(gradient(name, threads, Recompute.ATTENTION), all);
        assertSame(gradient(name, threads, Recompute.NONE), all);
    }

    private FlatVector gradient(String name, int threads, Recompute recompute) {
        GoldenModel golden = new GoldenModel(name);
        try (WeightFolder weights = golden.weights(Mode.QLORA, cache);
                DecoderModel model = LoadedModel.of(weights, golden.spec(Mode.QLORA), threads, recompute);
                BoundParameters parameters = model.bind(golden.adapter(model.parameters()))) {
            FlatVector sum = FlatVector.zeros(model.parameters().size());
            model.addGradient(parameters, golden.packed(), sum, PASS_SEED, OptionalDouble.empty());
            return sum;
        }
    }

    private static void assertSame(FlatVector found, FlatVector expected) {
        assertThat(numbers(found)).isEqualTo(numbers(expected));
    }

    private static float[] numbers(FlatVector vector) {
        float[] numbers = new float[Math.toIntExact(vector.length())];
        vector.read(0, numbers, 0, numbers.length);
        return numbers;
    }
}
