package org.sparkqlora.model.adapter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.model.BoundParameters;
import org.sparkqlora.model.DecoderModel;
import org.sparkqlora.model.GoldenModel;
import org.sparkqlora.model.GoldenModel.Mode;
import org.sparkqlora.model.LoadedModel;
import org.sparkqlora.model.layout.FactorInitialization;
import org.sparkqlora.model.layout.LoraSpec;
import org.sparkqlora.model.layout.Method;
import org.sparkqlora.model.layout.ModelLayout;
import org.sparkqlora.model.layout.ModelSpec;
import org.sparkqlora.model.layout.Parameter;
import org.sparkqlora.model.layout.ParameterIndex;
import org.sparkqlora.model.layout.Precision;
import org.sparkqlora.model.loss.LossTotal;
import org.sparkqlora.quant.FloatSource;
import org.sparkqlora.quant.QuantSpec;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.weights.ChangedWeights;
import org.sparkqlora.weights.QuantizedCache;
import org.sparkqlora.weights.WeightChange;
import org.sparkqlora.weights.WeightFolder;
import org.sparkqlora.weights.safetensors.StoredType;

/** Factors of PiSSA and OLoRA, compared with PEFT's (goldens/models/README.md). */
class PissaOloraFactorsTest {
    /**
     * Difference of a factor as a share of the largest of its tensor, components brought to the same sign: float32 singular vectors
     * turn by the rounding error of the weight over the gap to the next singular value, and two LAPACKs round differently.
     */
    private static final double FACTOR_TOLERANCE = 1e-4;

    /** Of weights up to 0.7 in float32: rounded once here, at each product and sum there. */
    private static final float RESIDUAL_TOLERANCE = 5e-7f;

    /** As of {@code GoldenModelTest}: the same factors, the same arithmetic. */
    private static final Percentage LOSS_TOLERANCE = Percentage.withPercentage(2e-4);

    private static final double GRADIENT_TOLERANCE = 2e-5;

    private static final String VARIANTS = "llama-tied/variants/";

    @TempDir
    private Path cache;

    static Stream<Arguments> variants() {
        return Stream.of(
                Arguments.of("pissa", "pissa"),
                Arguments.of("pissa-dora", "pissa"),
                Arguments.of("olora", "olora"),
                Arguments.of("olora-rslora", "olora"));
    }

    static Stream<Arguments> modes() {
        return variants()
                .flatMap(variant -> Stream.of(Mode.LORA, Mode.QLORA)
                        .map(mode -> Arguments.of(variant.get()[0], variant.get()[1], mode)));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("variants")
    void factorsAreThoseOfPeftButForSigns(String name, String how) {
        GoldenModel golden = new GoldenModel(VARIANTS + name);
        LoraSpec lora = lora(golden, how);
        try (WeightFolder base = golden.weights(Mode.LORA, cache)) {
            ParameterIndex index = PissaOloraFactors.index(base.config(), lora);
            FlatVector expected = golden.adapter(index);
            FlatVector found = compute(base, lora, 1).values();

            for (Parameter down : index.all()) {
                if (down.name().endsWith(ModelLayout.DOWN_SUFFIX)) {
                    Parameter up = index.find(down.name().replace("lora_A", "lora_B"));
                    assertSameButForSigns(down, up, found, expected);
                }
            }
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("variants")
    void whatIsLeftOfTheBaseIsWhatPeftLeaves(String name, String how) {
        GoldenModel golden = new GoldenModel(VARIANTS + name);
        LoraSpec lora = lora(golden, how);
        try (WeightFolder base = golden.weights(Mode.LORA, cache)) {
            ChangedWeights residual = theirs(golden, base, lora).residual(base);

            assertThat(base.names().stream().filter(residual::has)).isNotEmpty().allSatisfy(weight -> {
                float[] expected = golden.expected("residual." + weight);
                float[] found = read(residual.floats(weight));
                assertThat(found).hasSameSizeAs(expected);
                assertThat(largestDifference(found, expected)).isLessThan(RESIDUAL_TOLERANCE);
                assertThat(found).isNotEqualTo(read(base.tensor(weight).asFloats()));
            });
        }
    }

    @ParameterizedTest(name = "{0} {2}")
    @MethodSource("modes")
    void lossAndGradientsEqualTheReference(String name, String how, Mode mode) {
        GoldenModel golden = new GoldenModel(VARIANTS + name);
        LoraSpec lora = lora(golden, how);
        try (WeightFolder base = golden.weights(Mode.LORA, cache)) {
            PissaOloraFactors taken = theirs(golden, base, lora);
            try (WeightFolder rest = rest(base, taken, mode);
                    DecoderModel model = LoadedModel.of(rest, spec(mode, lora), 1)) {
                FlatVector start = model.initialParameters(0, FlatVector::zeros, taken);
                assertLossAndGradient(golden, mode, model, start);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"pissa", "pissa_niter_4", "olora"})
    void theNumberOfThreadsChangesNoBit(String how) {
        GoldenModel golden = new GoldenModel(VARIANTS + "pissa");
        LoraSpec lora = lora(golden, how);
        try (WeightFolder base = golden.weights(Mode.LORA, cache)) {
            float[] one = values(compute(base, lora, 1).values());

            assertThat(values(compute(base, lora, 3).values())).isEqualTo(one);
            assertThat(values(compute(base, lora, 1).values())).isEqualTo(one);
        }
    }

    @Test
    void whatIsLeftReadsTheSameInAnyPieces() {
        GoldenModel golden = new GoldenModel(VARIANTS + "pissa");
        try (WeightFolder base = golden.weights(Mode.LORA, cache)) {
            FloatSource rest = theirs(golden, base, lora(golden, "pissa"))
                    .residual(base)
                    .floats("model.layers.1.mlp.down_proj.weight");
            float[] whole = read(rest);
            float[] pieces = new float[whole.length];
            float[] piece = new float[37];
            for (int at = 0; at < whole.length; at += piece.length) {
                int count = Math.min(piece.length, whole.length - at);
                rest.read(at, piece, count);
                System.arraycopy(piece, 0, pieces, at, count);
            }

            assertThat(pieces).isEqualTo(whole);
        }
    }

    @ParameterizedTest(name = "{0}")
    @ValueSource(strings = {"pissa", "olora", "olora-rslora"})
    void convertedAdaptersAreThoseOfPeftBitForBit(String name) {
        GoldenModel golden = new GoldenModel(VARIANTS + name);
        LoraSpec lora = lora(golden, "pissa");
        try (WeightFolder base = golden.weights(Mode.LORA, cache)) {
            AdapterConversion conversion = new AdapterConversion(base.config(), lora, theirs(golden, base, lora));
            ParameterIndex index = ParameterIndex.of(base.config(), spec(Mode.LORA, lora));
            FlatVector converted = conversion.convert(index, golden.expected(index, "after5."));

            assertThat(values(converted)).isEqualTo(values(golden.converted(conversion.index())));
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("variants")
    void aConvertedAdapterDoesToTheBaseWhatItsOriginDoesToTheRest(String name, String how) {
        GoldenModel golden = new GoldenModel(VARIANTS + name);
        LoraSpec lora = lora(golden, how);
        try (WeightFolder base = golden.weights(Mode.LORA, cache)) {
            PissaOloraFactors taken = theirs(golden, base, lora);
            AdapterConversion conversion = new AdapterConversion(base.config(), lora, taken);
            ParameterIndex index = ParameterIndex.of(base.config(), spec(Mode.LORA, lora));
            FlatVector trained = golden.expected(index, "after5.");
            try (WeightFolder rest = rest(base, taken, Mode.LORA)) {
                double expected = loss(golden, rest, lora, trained);
                double found = loss(golden, base, conversion.lora(), conversion.convert(index, trained));

                assertThat(found).isCloseTo(expected, LOSS_TOLERANCE);
                assertThat(found).as("the adapter matters").isLessThan(0.99 * untrainedLoss(golden, base));
            }
        }
    }

    @Test
    void aBaseInFourBitsIsRefused() {
        GoldenModel golden = new GoldenModel(VARIANTS + "pissa");
        try (WeightFolder base = golden.weights(Mode.QLORA, cache)) {
            assertThatThrownBy(() -> compute(base, lora(golden, "pissa"), 1))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage(
                            "Cannot take adapters (pissa) out of %s: expected weights in 16 or 32 bits, found 4-bit weights. Name the model that these were made from: with --method qlora what is left of it is brought to 4 bits",
                            base.path());
        }
    }

    @Test
    void moreThanTheRankOfAWeightIsRefused() {
        GoldenModel golden = new GoldenModel(VARIANTS + "pissa");
        LoraSpec lora = taking("olora", LoraSpec.allLinear(33, 16));
        try (WeightFolder base = golden.weights(Mode.LORA, cache)) {
            assertThatThrownBy(() -> compute(base, lora, 1))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage(
                            "Cannot take an adapter (olora) out of model.layers.0.self_attn.k_proj.weight: expected a rank of at most 32, the rank of the weight, found 33");
        }
    }

    private WeightFolder rest(WeightFolder base, PissaOloraFactors taken, Mode mode) {
        WeightChange change = new WeightChange("rest", () -> taken.residual(base));
        try (Workers workers = new Workers(2)) {
            QuantizedCache copies = new QuantizedCache(cache);
            return mode == Mode.QLORA
                    ? copies.openChanged(base, change, QuantSpec.DEFAULT, workers)
                    : copies.openChanged(base, change, StoredType.F32, workers);
        }
    }

    private static void assertLossAndGradient(GoldenModel golden, Mode mode, DecoderModel model, FlatVector start) {
        FlatVector sum = FlatVector.zeros(model.parameters().size());
        try (BoundParameters bound = model.bind(start)) {
            LossTotal loss = LoadedModel.addGradient(model, bound, golden.batch(), sum);
            sum.scale(1f / loss.tokenCount());
            var expected = golden.expectedNumbers(mode);
            assertThat(loss.tokenCount()).isEqualTo(expected.get("n_tokens").asLong());
            assertThat(loss.lossSum()).isCloseTo(expected.get("loss_sum").asDouble(), LOSS_TOLERANCE);
        }

        FlatVector gradient = golden.expected(model.parameters(), mode.prefix() + ".grad.");
        for (Parameter parameter : model.parameters().all()) {
            float[] expected = AdapterMerge.values(parameter, gradient);
            assertThat(largestDifference(AdapterMerge.values(parameter, sum), expected))
                    .as(parameter.name())
                    .isLessThanOrEqualTo((float) (GRADIENT_TOLERANCE * largestOf(expected)));
        }
    }

    private static double loss(GoldenModel golden, WeightFolder weights, LoraSpec lora, FlatVector parameters) {
        try (DecoderModel model = LoadedModel.of(weights, spec(Mode.LORA, lora), 1);
                BoundParameters bound = model.bind(parameters)) {
            return lossSum(model.losses(bound, golden.batch()));
        }
    }

    private static double untrainedLoss(GoldenModel golden, WeightFolder base) {
        ModelSpec plain = new ModelSpec(Method.LORA, Precision.FP32, QuantSpec.DEFAULT, null);
        try (DecoderModel model = LoadedModel.of(base, plain, 1);
                BoundParameters none = model.bind(FlatVector.zeros(0))) {
            return lossSum(model.losses(none, golden.batch()));
        }
    }

    private static double lossSum(List<LossTotal> losses) {
        return losses.stream().mapToDouble(LossTotal::lossSum).sum();
    }

    private static void assertSameButForSigns(Parameter down, Parameter up, FlatVector found, FlatVector expected) {
        float[] ours = AdapterMerge.values(down, found);
        float[] theirs = AdapterMerge.values(down, expected);
        float[] ourUps = AdapterMerge.values(up, found);
        int rank = (int) down.shape()[0];
        int inputs = (int) down.shape()[1];
        for (int r = 0; r < rank; r++) {
            double product = 0;
            for (int i = r * inputs; i < (r + 1) * inputs; i++) {
                product += (double) ours[i] * theirs[i];
            }

            if (product < 0) {
                turn(ours, r * inputs, 1, inputs);
                turn(ourUps, r, rank, (int) up.shape()[0]);
            }
        }

        assertNear(down, ours, theirs);
        assertNear(up, ourUps, AdapterMerge.values(up, expected));
    }

    private static void turn(float[] values, int from, int step, int count) {
        for (int i = 0; i < count; i++) {
            values[from + i * step] = -values[from + i * step];
        }
    }

    private static void assertNear(Parameter parameter, float[] found, float[] expected) {
        assertThat((double) largestDifference(found, expected))
                .as(parameter.name())
                .isCloseTo(0, within(FACTOR_TOLERANCE * largestOf(expected)));
    }

    private static PissaOloraFactors compute(WeightFolder base, LoraSpec lora, int threads) {
        try (Workers workers = new Workers(threads)) {
            return PissaOloraFactors.compute(base, lora, 5, workers);
        }
    }

    private static PissaOloraFactors theirs(GoldenModel golden, WeightFolder base, LoraSpec lora) {
        return PissaOloraFactors.of(base.config(), lora, golden.adapter(PissaOloraFactors.index(base.config(), lora)));
    }

    private static ModelSpec spec(Mode mode, LoraSpec lora) {
        return new ModelSpec(mode == Mode.QLORA ? Method.QLORA : Method.LORA, Precision.FP32, QuantSpec.DEFAULT, lora);
    }

    private static LoraSpec lora(GoldenModel golden, String how) {
        LoraSpec lora = golden.spec(Mode.LORA).lora();
        if (lora == null) {
            throw new IllegalStateException("Cannot find the adapters of a golden model");
        }

        return taking(how, lora);
    }

    private static LoraSpec taking(String how, LoraSpec lora) {
        return lora.withInitialization(FactorInitialization.parse(how));
    }

    private static float[] read(FloatSource source) {
        float[] values = new float[Math.toIntExact(source.length())];
        source.read(0, values, values.length);
        return values;
    }

    private static float[] values(FlatVector vector) {
        float[] values = new float[Math.toIntExact(vector.length())];
        vector.read(0, values, 0, values.length);
        return values;
    }

    private static float largestOf(float[] values) {
        return largestDifference(values, new float[values.length]);
    }

    private static float largestDifference(float[] a, float[] b) {
        float largest = 0;
        for (int i = 0; i < a.length; i++) {
            largest = Math.max(largest, Math.abs(a[i] - b[i]));
        }

        return largest;
    }
}
