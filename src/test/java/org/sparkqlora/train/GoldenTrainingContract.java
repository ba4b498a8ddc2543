package org.sparkqlora.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.sparkqlora.model.GoldenModel;
import org.sparkqlora.model.GoldenModel.Mode;
import org.sparkqlora.optim.DecayedTensors;
import org.sparkqlora.optim.OptimizerKind;
import org.sparkqlora.optim.OptimizerSpec;
import org.sparkqlora.tensor.FlatVector;

/** Five clipped AdamW steps on the whole batch, beside torch's (goldens/models/README.md). */
abstract class GoldenTrainingContract {
    private static final int STEPS = 5;

    /** AdamW moves an element whose gradient is rounding noise by up to the learning rate in either direction: a few may differ. */
    private static final double ELEMENT_TOLERANCE = 1e-5;

    private static final double SHARE_OUTSIDE = 1e-3;
    private static final double LARGEST_DIFFERENCE = 1e-3;

    /** Each mean loss before a step; float64 differs by 9e-7. */
    private static final double LOSS_TOLERANCE = 2e-5;

    @TempDir
    private static Path cache;

    abstract TrainingDevice device();

    static Stream<Arguments> adapted() {
        return Stream.concat(
                        GoldenModel.FAMILIES.stream(),
                        Stream.of(
                                "llama-rope3-bf16",
                                "saved-untied",
                                "saved-tied",
                                "saved-apart",
                                "llama-tied/variants/rslora",
                                "llama-tied/variants/dora",
                                "llama-tied/variants/qv",
                                "llama-tied/variants/patterns"))
                .flatMap(name -> Stream.of(Arguments.of(name, Mode.LORA), Arguments.of(name, Mode.QLORA)));
    }

    @ParameterizedTest(name = "{0} {1}")
    @MethodSource("adapted")
    void fiveStepsEndWhereTheReferenceEnds(String name, Mode mode) {
        assertEndsAsRecorded(
                new GoldenModel(name), mode, new OptimizerSpec(OptimizerKind.ADAMW, 0.9, 0.999, 1e-8, 0.01), 1e-3);
    }

    /** src/test/python/make_loraplus_goldens.py: A at 1e-4, B and magnitudes at 1e-3. */
    @ParameterizedTest
    @EnumSource(
            value = Mode.class,
            names = {"LORA", "QLORA"})
    void loraPlusEndsWherePeftEnds(Mode mode) {
        assertEndsAsRecorded(
                new GoldenModel("llama-tied/variants/dora", "loraplus"),
                mode,
                new OptimizerSpec(OptimizerKind.ADAMW, 0.9, 0.999, 1e-8, 0.01, 10, DecayedTensors.ALL),
                1e-4);
    }

    /** src/test/python/make_weight_decay_goldens.py: a decay of 5 that leaves norms and biases out. */
    @Test
    void wholeModelDecaysAsTheTrainerOfTransformers() {
        assertEndsAsRecorded(
                new GoldenModel("qwen2-bias", "decay"),
                Mode.FULL,
                new OptimizerSpec(OptimizerKind.ADAMW, 0.9, 0.999, 1e-8, 5)
                        .decaying(DecayedTensors.WITHOUT_NORMS_AND_BIASES),
                1e-3);
    }

    private void assertEndsAsRecorded(GoldenModel golden, Mode mode, OptimizerSpec optimizer, double learningRate) {
        TrainPlan plan = GoldenRun.plan(golden, golden.spec(mode), optimizer, learningRate, STEPS);
        GoldenRun run = new GoldenRun(golden, mode, plan, device(), cache);

        GoldenRun.Outcome outcome = run.run();

        assertSame(outcome.parameters(), run.expected(mode.prefix() + ".after5."));
        assertSame(outcome.losses(), golden.expectedNumbers(mode).get("losses"));
    }

    private static void assertSame(List<Double> losses, JsonNode expected) {
        assertThat(losses).hasSize(STEPS);
        for (int step = 0; step < STEPS; step++) {
            assertThat(losses.get(step)).isCloseTo(expected.get(step).asDouble(), within(LOSS_TOLERANCE));
        }
    }

    private static void assertSame(FlatVector actual, FlatVector expected) {
        long outside = 0;
        for (long i = 0; i < expected.length(); i++) {
            double difference = Math.abs(actual.get(i) - expected.get(i));
            assertThat(difference).isLessThanOrEqualTo(LARGEST_DIFFERENCE);
            outside += difference > ELEMENT_TOLERANCE ? 1 : 0;
        }

        assertThat((double) outside / expected.length()).isLessThanOrEqualTo(SHARE_OUTSIDE);
    }
}
