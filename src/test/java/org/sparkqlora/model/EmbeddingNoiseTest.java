package org.sparkqlora.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalDouble;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.sparkqlora.model.GoldenModel.Mode;
import org.sparkqlora.model.loss.LossTotal;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.tensor.Natives;
import org.sparkqlora.tensor.TensorMemory;
import org.sparkqlora.tokenizer.packing.TokenRow;
import org.sparkqlora.weights.WeightFolder;

class EmbeddingNoiseTest {
    private static final int HIDDEN = 700;
    private static final double ALPHA = 5;

    @TempDir
    private Path cache;

    @BeforeAll
    static void loadLibtorch() {
        Natives.load();
    }

    /** The bound of the paper's algorithm 1, reached but never passed; mean 0 and the deviation of a uniform variable. */
    @Test
    void isUniformWithinAlphaOverTheRootOfLengthTimesWidth() {
        int length = 2000; // more than one piece
        float[] noise = noise(new EmbeddingNoise(ALPHA, 3), length);

        double bound = ALPHA / Math.sqrt((double) length * HIDDEN);
        double largest = 0;
        double sum = 0;
        double squares = 0;
        for (float value : noise) {
            largest = Math.max(largest, Math.abs(value));
            sum += value;
            squares += (double) value * value;
        }

        double deviation = bound / Math.sqrt(3);
        assertThat(largest).isBetween(0.999 * bound, bound * (1 + 1e-6));
        assertThat(sum / noise.length).isCloseTo(0, within(4 * deviation / Math.sqrt(noise.length)));
        assertThat(Math.sqrt(squares / noise.length)).isCloseTo(deviation, within(0.01 * deviation));
    }

    @Test
    void growsAsDocumentsGetShorterHoweverTheyArePacked() {
        float[] packed = noise(new EmbeddingNoise(ALPHA, 3), 10, 90);

        assertThat(largest(packed, 0, 10)).isCloseTo(ALPHA / Math.sqrt(10.0 * HIDDEN), within(1e-3));
        assertThat(largest(packed, 10, 100)).isCloseTo(ALPHA / Math.sqrt(90.0 * HIDDEN), within(1e-3));
    }

    @Test
    void isAFunctionOfTheSeed() {
        float[] noise = noise(new EmbeddingNoise(ALPHA, 3), 40);

        assertThat(noise(new EmbeddingNoise(ALPHA, 3), 40)).isEqualTo(noise);
        assertThat(noise(new EmbeddingNoise(ALPHA, 4), 40)).isNotEqualTo(noise);
    }

    @ParameterizedTest
    @EnumSource(
            value = Mode.class,
            names = {"LORA", "QLORA", "FULL"})
    void changesTrainingAndNeverEvaluation(Mode mode) {
        GoldenModel golden = new GoldenModel(mode == Mode.FULL ? "llama-tied/variants/full" : "llama-tied");
        try (WeightFolder weights = golden.weights(mode, cache);
                DecoderModel plain = LoadedModel.of(weights, golden.spec(mode, 0), 1);
                DecoderModel noisy =
                        LoadedModel.of(weights, golden.spec(mode, 0).withNoise(ALPHA), 1)) {
            FlatVector parameters = mode == Mode.FULL ? plain.initialParameters(1) : golden.adapter(plain.parameters());

            assertThat(loss(noisy, parameters, golden.batch(), 8))
                    .isEqualTo(loss(noisy, parameters, golden.batch(), 8))
                    .isNotEqualTo(loss(noisy, parameters, golden.batch(), 9))
                    .isNotEqualTo(loss(plain, parameters, golden.batch(), 8));
            assertThat(evaluation(noisy, parameters, golden.batch()))
                    .isEqualTo(evaluation(plain, parameters, golden.batch()));
        }
    }

    private static double loss(DecoderModel model, FlatVector parameters, List<TokenRow> batch, long seed) {
        try (BoundParameters bound = model.bind(parameters)) {
            return model.addGradient(bound, batch, FlatVector.zeros(parameters.length()), seed, OptionalDouble.empty())
                    .lossSum();
        }
    }

    private static double evaluation(DecoderModel model, FlatVector parameters, List<TokenRow> batch) {
        try (BoundParameters bound = model.bind(parameters)) {
            return LossTotal.sum(model.losses(bound, batch)).lossSum();
        }
    }

    /** The noise added to documents of these lengths, which share a row. */
    private static float[] noise(EmbeddingNoise noise, int... lengths) {
        DocumentBatch batch = new DocumentBatch(List.of(row(lengths)));
        try (PointerScope scope = new PointerScope()) {
            Tensor embedded =
                    TensorMemory.empty(ScalarType.Float, batch.tokens(), HIDDEN).zero_();
            noise.addTo(embedded, batch);
            float[] values = new float[batch.tokens() * HIDDEN];
            TensorMemory.read(embedded, values, values.length);
            return values;
        }
    }

    private static TokenRow row(int... lengths) {
        int tokens = Arrays.stream(lengths).sum();
        boolean[] starts = new boolean[tokens];
        int start = 0;
        for (int length : lengths) {
            starts[start] = true;
            start += length;
        }

        return new TokenRow(new int[tokens], new boolean[tokens], starts, tokens);
    }

    private static double largest(float[] values, int fromToken, int toToken) {
        double largest = 0;
        for (int i = fromToken * HIDDEN; i < toToken * HIDDEN; i++) {
            largest = Math.max(largest, Math.abs(values[i]));
        }

        return largest;
    }
}
