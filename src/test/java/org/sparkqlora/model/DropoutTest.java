package org.sparkqlora.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.OptionalDouble;
import java.util.SplittableRandom;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.PointerScope;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.sparkqlora.model.GoldenModel.Mode;
import org.sparkqlora.model.adapter.Dropout;
import org.sparkqlora.model.layout.Parameter;
import org.sparkqlora.model.loss.LossTotal;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.tensor.Natives;
import org.sparkqlora.weights.WeightFolder;

class DropoutTest {
    private static final double PROBABILITY = 0.3;

    /** Relative error of a directional derivative by differences in float32. */
    private static final double DERIVATIVE_TOLERANCE = 3e-3;

    private static final double STEP = 1.25e-3;

    @TempDir
    private Path cache;

    @BeforeAll
    static void loadLibtorch() {
        Natives.load();
    }

    @ParameterizedTest(name = "probability {0}")
    @CsvSource({"0.05", "0.1", "0.5", "0.9"})
    void dropsTheWantedShareAndKeepsTheExpectation(double probability) {
        byte[] kept = mask(new Dropout(probability, 1), "q_proj", 1000, 300);

        double share = (double) sum(kept) / kept.length;
        double deviation = Math.sqrt(probability * (1 - probability) / kept.length);
        assertThat(share).isCloseTo(1 - probability, within(4 * deviation));
        try (PointerScope scope = new PointerScope()) {
            assertThat(new Dropout(probability, 1).mask("q_proj", 1, 1).scale())
                    .isCloseTo(1 / (1 - probability), within(1e-3));
        }
    }

    @Test
    void isAFunctionOfSeedAndModule() {
        byte[] mask = mask(new Dropout(PROBABILITY, 1), "q_proj", 70, 1000);

        assertThat(mask(new Dropout(PROBABILITY, 1), "q_proj", 70, 1000)).isEqualTo(mask);
        assertThat(sharedShare(mask, mask(new Dropout(PROBABILITY, 1), "k_proj", 70, 1000)))
                .isCloseTo(0.58, within(0.01));
        assertThat(sharedShare(mask, mask(new Dropout(PROBABILITY, 2), "q_proj", 70, 1000)))
                .isCloseTo(0.58, within(0.01));
    }

    @Test
    void dropsEachPlaceOfATokenAsOftenAsTheOthers() {
        int[] kept = new int[64];
        byte[] mask = mask(new Dropout(PROBABILITY, 3), "q_proj", 20_000, kept.length);
        for (int i = 0; i < mask.length; i++) {
            kept[i % kept.length] += mask[i];
        }

        assertThat(Arrays.stream(kept)).allSatisfy(count -> assertThat(count).isCloseTo(14_000, within(400)));
    }

    static Stream<Arguments> directions() {
        return Stream.of("llama-tied", "qwen2-bias", "gemma4_text", "gemma4_text-keys")
                .flatMap(name -> Stream.of("lora_A", "lora_B", "lora_").map(tensors -> Arguments.of(name, tensors)));
    }

    @ParameterizedTest(name = "{0} {1}")
    @MethodSource("directions")
    void gradientEqualsFiniteDifferencesOfTheLossWithTheSameSeed(String name, String tensors) {
        try (Run run = new Run(name, Mode.LORA, PROBABILITY)) {
            FlatVector direction = run.direction(parameter -> parameter.name().contains(tensors));
            FlatVector gradient = FlatVector.zeros(direction.length());
            run.addGradient(run.adapter, gradient, 5);

            double difference = (run.loss(direction, STEP, 5) - run.loss(direction, -STEP, 5)) / (2 * STEP);

            double expected = dot(gradient, direction);
            assertThat(difference).isCloseTo(expected, within(DERIVATIVE_TOLERANCE * Math.abs(expected) + 1e-2));
        }
    }

    @Test
    void magnitudesGradientEqualsFiniteDifferences() {
        try (Run run = new Run("llama-tied/variants/dora", Mode.QLORA, PROBABILITY)) {
            FlatVector direction = run.direction(parameter -> parameter.name().endsWith("magnitude_vector"));
            FlatVector gradient = FlatVector.zeros(direction.length());
            run.addGradient(run.adapter, gradient, 5);

            double difference = (run.loss(direction, STEP, 5) - run.loss(direction, -STEP, 5)) / (2 * STEP);

            double expected = dot(gradient, direction);
            assertThat(difference).isCloseTo(expected, within(DERIVATIVE_TOLERANCE * Math.abs(expected)));
        }
    }

    @Test
    void equalSeedsGiveEqualBytesAndOthersDoNot() {
        try (Run run = new Run("llama-tied", Mode.QLORA, PROBABILITY)) {
            FlatVector first = FlatVector.zeros(run.adapter.length());
            FlatVector second = FlatVector.zeros(run.adapter.length());
            FlatVector other = FlatVector.zeros(run.adapter.length());

            double loss = run.addGradient(run.adapter, first, 8);

            assertThat(run.addGradient(run.adapter, second, 8)).isEqualTo(loss);
            assertThat(run.addGradient(run.adapter, other, 9)).isNotEqualTo(loss);
            assertThat(bytes(second)).isEqualTo(bytes(first)).isNotEqualTo(bytes(other));
        }
    }

    @Test
    void evaluationNeverDrops() {
        try (Run dropping = new Run("llama-tied", Mode.LORA, PROBABILITY);
                Run plain = new Run("llama-tied", Mode.LORA, 0)) {
            assertThat(dropping.evaluation()).isEqualTo(plain.evaluation());
        }
    }

    @Test
    void aProbabilityOfZeroChangesNothing() {
        try (Run run = new Run("llama-tied", Mode.LORA, 0)) {
            FlatVector seeded = FlatVector.zeros(run.adapter.length());
            FlatVector plain = FlatVector.zeros(run.adapter.length());

            run.addGradient(run.adapter, seeded, 8);
            try (BoundParameters bound = run.model.bind(run.adapter)) {
                LoadedModel.addGradient(run.model, bound, run.golden.batch(), plain);
            }

            assertThat(bytes(seeded)).isEqualTo(bytes(plain));
        }
    }

    private static byte[] mask(Dropout dropout, String module, int tokens, int inputs) {
        try (PointerScope scope = new PointerScope()) {
            byte[] kept = new byte[tokens * inputs];
            new BytePointer(dropout.mask(module, tokens, inputs).kept().data_ptr()).get(kept);
            return kept;
        }
    }

    private static int sum(byte[] values) {
        int sum = 0;
        for (byte value : values) {
            sum += value;
        }

        return sum;
    }

    private static double sharedShare(byte[] one, byte[] other) {
        int equal = 0;
        for (int i = 0; i < one.length; i++) {
            equal += one[i] == other[i] ? 1 : 0;
        }

        return (double) equal / one.length;
    }

    private static double dot(FlatVector one, FlatVector other) {
        double sum = 0;
        for (long i = 0; i < one.length(); i++) {
            sum += (double) one.get(i) * other.get(i);
        }

        return sum;
    }

    private static float[] bytes(FlatVector vector) {
        float[] values = new float[(int) vector.length()];
        vector.read(0, values, 0, values.length);
        return values;
    }

    /** A reference model whose adapter drops its inputs. */
    private final class Run implements AutoCloseable {
        private final GoldenModel golden;
        private final WeightFolder weights;
        private final DecoderModel model;
        private final FlatVector adapter;

        Run(String name, Mode mode, double probability) {
            this.golden = new GoldenModel(name);
            this.weights = golden.weights(mode, cache);
            this.model = LoadedModel.of(weights, golden.spec(mode, probability), 1);
            this.adapter = golden.adapter(model.parameters());
        }

        double addGradient(FlatVector at, FlatVector gradient, long seed) {
            try (BoundParameters bound = model.bind(at)) {
                return model.addGradient(bound, golden.batch(), gradient, seed, OptionalDouble.empty())
                        .lossSum();
            }
        }

        /** The loss at adapter + step x direction. */
        double loss(FlatVector direction, double step, long seed) {
            FlatVector moved = direction.copy();
            moved.scale((float) step);
            moved.addAll(adapter);
            return addGradient(moved, FlatVector.zeros(moved.length()), seed);
        }

        double evaluation() {
            try (BoundParameters bound = model.bind(adapter)) {
                return LossTotal.sum(model.losses(bound, golden.batch())).lossSum();
            }
        }

        /** A direction of unit elements in size, zero outside of the wanted tensors. */
        FlatVector direction(Predicate<Parameter> wanted) {
            SplittableRandom random = new SplittableRandom(4);
            FlatVector direction = FlatVector.zeros(adapter.length());
            for (Parameter parameter : model.parameters().all()) {
                for (long i = 0; i < parameter.size() && wanted.test(parameter); i++) {
                    direction.set(parameter.offset() + i, (float) random.nextDouble(-0.1, 0.1));
                }
            }

            return direction;
        }

        @Override
        public void close() {
            model.close();
            weights.close();
        }
    }
}
