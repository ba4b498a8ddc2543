package org.sparkqlora.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Path;
import java.util.List;
import java.util.OptionalDouble;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.model.GoldenModel.Mode;
import org.sparkqlora.model.generation.GenerationSpec;
import org.sparkqlora.model.generation.Sampling;
import org.sparkqlora.model.layout.ModelSpec;
import org.sparkqlora.model.layout.Precision;
import org.sparkqlora.model.loss.LossTotal;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.tensor.Hardware;
import org.sparkqlora.weights.WeightFolder;

/** Results of a device that only libtorch's operations reach, where goldens do not cover them: equal to those by rows but for rounding. */
abstract class DeviceModelContract {
    /** Of float32, as a share of the largest gradient. */
    private static final double ROUNDING = 2e-5;

    /** Of bfloat16, where each side rounds in other places. */
    private static final double BF16_LOSS = 0.02;

    /** Of fp16, whose 11 bits are rounded at each of some twenty operations, as a share of the largest gradient. */
    private static final double FP16_ROUNDING = 0.01;

    @TempDir
    Path cache;

    abstract Hardware device(Workers workers);

    @ParameterizedTest
    @EnumSource(Recompute.class)
    void dropoutAndNoiseHitTheSameElements(Recompute recompute) {
        GoldenModel golden = new GoldenModel("llama-tied");
        ModelSpec spec = golden.spec(Mode.QLORA, 0.25).withNoise(5);

        assertSameGradient(
                gradient(golden, spec, recompute, Hardware::processor),
                gradient(golden, spec, recompute, this::device));
    }

    @ParameterizedTest
    @ValueSource(strings = {"llama-tied", "gemma2", "mistral-window", "gemma4_text", "gemma4_unified_text"})
    void textsGrowByTheSameTokens(String name) {
        GoldenModel golden = new GoldenModel(name);

        assertThat(generated(golden, this::device)).isEqualTo(generated(golden, Hardware::processor));
    }

    /** Layers that are copied to the device one ahead of their use. */
    @ParameterizedTest
    @EnumSource(Recompute.class)
    void aBaseInAWindowGivesTheSameBytes(Recompute recompute) {
        GoldenModel golden = new GoldenModel("llama-tied");
        ModelSpec spec = golden.spec(Mode.QLORA);
        FlatVector whole = gradient(golden, spec, recompute, this::device);
        try (WeightFolder weights = golden.weights(Mode.QLORA, cache);
                DecoderModel paged = DecoderModel.load(
                        weights,
                        spec,
                        1,
                        PassOptions.recomputing(recompute)
                                .keeping(new BaseMemoryLimit(BaseMemoryLimit.smallest(weights.config(), spec, 1))),
                        LoadedModel.SCRATCH,
                        this::device);
                BoundParameters parameters = paged.bind(golden.adapter(paged.parameters()))) {
            for (int pass = 0; pass < 3; pass++) {
                FlatVector sum = FlatVector.zeros(paged.parameters().size());
                paged.addGradient(parameters, golden.packed(), sum, 11, OptionalDouble.empty());

                assertThat(values(sum)).isEqualTo(values(whole)).doesNotContain(Float.NaN);
            }

            assertThat(paged.pagedBytes()).isPositive();
        }
    }

    private static float[] values(FlatVector vector) {
        float[] values = new float[Math.toIntExact(vector.length())];
        vector.read(0, values, 0, values.length);
        return values;
    }

    @Test
    void lossInBfloat16IsTheSameButForRounding() {
        GoldenModel golden = new GoldenModel("llama-tied");
        ModelSpec spec = in(Precision.BF16, golden);

        assertThat(loss(golden, spec, this::device))
                .isCloseTo(loss(golden, spec, Hardware::processor), within(BF16_LOSS));
    }

    @Test
    void gradientsInFloat16AreTheSameButForRoundingAtAnyScale() {
        GoldenModel golden = new GoldenModel("llama-tied");
        FlatVector expected = gradient(golden, golden.spec(Mode.QLORA), Recompute.ALL, Hardware::processor);
        FlatVector low = inFloat16(golden, OptionalDouble.of(0x1p8));
        FlatVector high = inFloat16(golden, OptionalDouble.of(0x1p12));

        assertSameGradient(expected, inFloat16(golden, OptionalDouble.empty()), FP16_ROUNDING);
        assertSameGradient(expected, low, FP16_ROUNDING);
        assertSameGradient(low, high, FP16_ROUNDING);
    }

    @Test
    void aScaleThatIsTooLargeMakesGradientsThatAreNoNumbers() {
        FlatVector gradient = inFloat16(new GoldenModel("llama-tied"), OptionalDouble.of(0x1p40));

        assertThat(gradient.sumOfSquares()).isNotFinite();
    }

    private FlatVector inFloat16(GoldenModel golden, OptionalDouble lossScale) {
        try (WeightFolder weights = golden.weights(Mode.QLORA, cache);
                DecoderModel model =
                        LoadedModel.of(weights, in(Precision.FP16, golden), 1, Recompute.ALL, this::device);
                BoundParameters parameters = model.bind(golden.adapter(model.parameters()))) {
            FlatVector sum = FlatVector.zeros(model.parameters().size());
            model.addGradient(parameters, golden.packed(), sum, 11, lossScale);
            return sum;
        }
    }

    static ModelSpec in(Precision precision, GoldenModel golden) {
        ModelSpec plain = golden.spec(Mode.QLORA);
        return new ModelSpec(plain.method(), precision, plain.quant(), plain.lora());
    }

    FlatVector gradient(GoldenModel golden, ModelSpec spec, Recompute recompute, Hardware.Source hardware) {
        try (WeightFolder weights = golden.weights(Mode.QLORA, cache);
                DecoderModel model = LoadedModel.of(weights, spec, 1, recompute, hardware);
                BoundParameters parameters = model.bind(golden.adapter(model.parameters()))) {
            FlatVector sum = FlatVector.zeros(model.parameters().size());
            model.addGradient(parameters, golden.packed(), sum, 11, OptionalDouble.empty());
            return sum;
        }
    }

    private double loss(GoldenModel golden, ModelSpec spec, Hardware.Source hardware) {
        try (WeightFolder weights = golden.weights(Mode.QLORA, cache);
                DecoderModel model = LoadedModel.of(weights, spec, 1, Recompute.ALL, hardware);
                BoundParameters parameters = model.bind(golden.adapter(model.parameters()))) {
            LossTotal total = LossTotal.sum(model.losses(parameters, golden.batch()));
            return total.lossSum() / total.tokenCount();
        }
    }

    private int[] generated(GoldenModel golden, Hardware.Source hardware) {
        try (WeightFolder weights = golden.weights(Mode.LORA, cache);
                DecoderModel model = LoadedModel.of(weights, golden.spec(Mode.LORA), 1, Recompute.ALL, hardware);
                BoundParameters parameters = model.bind(golden.adapter(model.parameters()))) {
            return model.generate(
                    parameters,
                    golden.batch().get(0).ids(),
                    new GenerationSpec(12, Set.of(), Sampling.GREEDY),
                    id -> {});
        }
    }

    private static void assertSameGradient(FlatVector expected, FlatVector found) {
        assertSameGradient(expected, found, ROUNDING);
    }

    private static void assertSameGradient(FlatVector expected, FlatVector found, double rounding) {
        double largest = 0;
        double difference = 0;
        for (long i = 0; i < expected.length(); i++) {
            largest = Math.max(largest, Math.abs(expected.get(i)));
            difference = Math.max(difference, Math.abs(expected.get(i) - found.get(i)));
        }

        assertThat(difference).isLessThanOrEqualTo(rounding * largest);
        assertThat(List.of(largest)).allMatch(value -> value > 0);
    }
}
