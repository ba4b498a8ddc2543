package org.sparkqlora.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.model.GoldenModel.Mode;
import org.sparkqlora.model.generation.GenerationSpec;
import org.sparkqlora.model.generation.Sampling;
import org.sparkqlora.model.layout.ModelSpec;
import org.sparkqlora.model.layout.Precision;
import org.sparkqlora.model.loss.LossTotal;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.tensor.Hardware;
import org.sparkqlora.tokenizer.packing.TokenRow;
import org.sparkqlora.weights.WeightFolder;
import org.sparkqlora.weights.family.DecoderTensors;

/** A base of which little is resident gives the bytes of one that is resident whole. */
@NullMarked
class ResidentBaseTest {
    @TempDir
    private static Path cache;

    private record Found(float[] gradient, List<LossTotal> losses, List<LossTotal> evaluated, int[] answer) {}

    static Stream<Arguments> models() {
        return Stream.concat(
                        GoldenModel.FAMILIES.stream(),
                        Stream.of("llama-tied/variants/dora", "llama-tied/variants/rslora"))
                .flatMap(name -> Stream.of(Mode.QLORA, Mode.LORA).map(mode -> Arguments.of(name, mode)));
    }

    /** Threads and recomputation in all four ways for three models; for each other one of them a mode. */
    @ParameterizedTest(name = "{0} {1}")
    @MethodSource("models")
    void theBytesAreTheSame(String name, Mode mode) {
        GoldenModel golden = new GoldenModel(name);
        boolean inAllWays = List.of("llama-tied", "gemma4_text", "qwen3_moe").contains(name);
        try (WeightFolder weights = golden.weights(mode, cache)) {
            Found whole = whole(golden, mode, weights);

            if (inAllWays || mode == Mode.QLORA) {
                assertSame(paged(golden, mode, weights, 2, Recompute.ALL), whole);
            }

            if (mode == Mode.QLORA) {
                assertSame(dequantized(golden, weights), whole);
            }

            if (inAllWays || mode == Mode.LORA) {
                assertSame(paged(golden, mode, weights, 1, Recompute.NONE), whole);
            }

            if (inAllWays) {
                assertSame(paged(golden, mode, weights, 1, Recompute.ALL), whole);
                assertSame(paged(golden, mode, weights, 2, Recompute.NONE), whole);
            }
        }
    }

    private static Found whole(GoldenModel golden, Mode mode, WeightFolder weights) {
        try (DecoderModel whole = LoadedModel.of(weights, golden.spec(mode), 1)) {
            Found found = found(golden, whole);
            assertThat(found.gradient()).doesNotContain(Float.NaN);
            assertThat(whole.pagedBytes()).isZero();
            return found;
        }
    }

    private static Found paged(GoldenModel golden, Mode mode, WeightFolder weights, int threads, Recompute recompute) {
        try (DecoderModel paged = LoadedModel.inWindow(weights, golden.spec(mode), threads, recompute)) {
            Found found = found(golden, paged);
            assertThat(paged.pagedBytes()).isPositive();
            return found;
        }
    }

    /** As it is found between passes at other parameters. */
    private static Found dequantized(GoldenModel golden, WeightFolder weights) {
        PassOptions passes = PassOptions.recomputing(Recompute.NONE).keeping(BaseMemoryLimit.DEQUANTIZED);
        ModelSpec spec = golden.spec(Mode.QLORA);
        try (DecoderModel model = DecoderModel.load(
                        weights, spec, 2, passes, LoadedModel.SCRATCH, spec.precision()::onProcessor);
                BoundParameters others =
                        model.bind(FlatVector.zeros(model.parameters().size()))) {
            model.losses(others, golden.packed());
            assertThat(found(golden, model).losses()).isNotEmpty();
            model.losses(others, golden.packed());
            return found(golden, model);
        }
    }

    private static void assertSame(Found found, Found expected) {
        assertThat(found.gradient()).isEqualTo(expected.gradient());
        assertThat(found.losses()).isEqualTo(expected.losses());
        assertThat(found.evaluated()).isEqualTo(expected.evaluated());
        assertThat(found.answer()).isEqualTo(expected.answer());
    }

    /** Of five experts a layer two tokens reach two at most. */
    @ParameterizedTest
    @EnumSource(
            value = Mode.class,
            names = {"QLORA", "LORA"})
    void expertsThatNoTokenGoesToAreNotRead(Mode mode) {
        GoldenModel golden = new GoldenModel("qwen3_moe-down");
        try (WeightFolder weights = golden.weights(mode, cache);
                DecoderModel model = LoadedModel.inWindow(weights, golden.spec(mode), 1, Recompute.ALL);
                BoundParameters parameters = model.bind(golden.adapter(model.parameters()))) {
            long ofAll = pagedBytes(model, parameters, golden.packed());
            long ofFew = pagedBytes(
                    model, parameters, List.of(firstTokens(golden.batch().get(0))));

            long expert = DecoderTensors.expertElements(weights.config());
            long bytes = mode == Mode.LORA ? expert * Float.BYTES : expert / 2;
            assertThat(ofAll - ofFew).isGreaterThanOrEqualTo(weights.config().layers() * 2 * bytes);
        }
    }

    private static long pagedBytes(DecoderModel model, BoundParameters parameters, List<TokenRow> rows) {
        long before = model.pagedBytes();
        model.losses(parameters, rows);
        return model.pagedBytes() - before;
    }

    private static TokenRow firstTokens(TokenRow row) {
        return new TokenRow(Arrays.copyOf(row.ids(), 2), new boolean[] {false, true}, new boolean[] {true, false}, 2);
    }

    /** As on a GPU: weights are copied there for each use. */
    @ParameterizedTest
    @EnumSource(
            value = Mode.class,
            names = {"QLORA", "LORA"})
    void aDeviceOfOperationsFindsTheSameBytes(Mode mode) {
        GoldenModel golden = new GoldenModel("llama-tied");
        try (WeightFolder weights = golden.weights(mode, cache);
                DecoderModel whole = onDevice(weights, golden.spec(mode), BaseMemoryLimit.ALL);
                DecoderModel paged = onDevice(
                        weights,
                        golden.spec(mode),
                        new BaseMemoryLimit(BaseMemoryLimit.smallest(weights.config(), golden.spec(mode), 1)))) {
            assertThat(found(golden, paged).gradient())
                    .isEqualTo(found(golden, whole).gradient())
                    .doesNotContain(Float.NaN);
            assertThat(paged.pagedBytes()).isPositive();
        }
    }

    private static DecoderModel onDevice(WeightFolder weights, ModelSpec spec, BaseMemoryLimit base) {
        return DecoderModel.load(
                weights,
                spec,
                1,
                PassOptions.recomputing(Recompute.ALL).keeping(base),
                LoadedModel.SCRATCH,
                workers -> Hardware.operationsOnProcessor());
    }

    @Test
    void aBoundBelowTheLeastIsRefused() {
        GoldenModel golden = new GoldenModel("llama-tied");
        ModelSpec spec = golden.spec(Mode.QLORA);
        try (WeightFolder weights = golden.weights(Mode.QLORA, cache)) {
            long least = BaseMemoryLimit.smallest(weights.config(), spec, 1);
            PassOptions passes = PassOptions.recomputing(Recompute.ALL).keeping(new BaseMemoryLimit(least - 1));

            assertThatThrownBy(() -> DecoderModel.load(weights, spec, 1, passes, cache, Precision.FP32::onProcessor))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageStartingWith("Cannot keep the base in %d bytes: expected at least %d, of which"
                            .formatted(least - 1, least));
        }
    }

    private static Found found(GoldenModel golden, DecoderModel model) {
        try (BoundParameters parameters = model.bind(golden.adapter(model.parameters()))) {
            FlatVector sum = FlatVector.zeros(model.parameters().size());
            List<MicroBatch> batches = IntStream.range(0, 3)
                    .mapToObj(i -> new MicroBatch(golden.batch().subList(i % 2, 2), i))
                    .toList();
            List<LossTotal> losses = model.addGradients(parameters, batches, sum, OptionalDouble.empty());
            List<LossTotal> evaluated = new ArrayList<>(model.losses(parameters, golden.packed()));
            int[] prompt = Arrays.copyOf(golden.batch().get(0).ids(), 3);
            int[] answer =
                    model.generate(parameters, prompt, new GenerationSpec(6, Set.of(), Sampling.GREEDY), id -> {});
            float[] gradient = new float[Math.toIntExact(sum.length())];
            sum.read(0, gradient, 0, gradient.length);
            return new Found(gradient, losses, evaluated, answer);
        }
    }
}
