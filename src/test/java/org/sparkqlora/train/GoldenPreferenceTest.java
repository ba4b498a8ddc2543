package org.sparkqlora.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.model.GoldenModel;
import org.sparkqlora.model.GoldenModel.Mode;
import org.sparkqlora.model.LoadedModel;
import org.sparkqlora.model.Recompute;
import org.sparkqlora.model.layout.LoraSpec;
import org.sparkqlora.model.layout.ModelSpec;
import org.sparkqlora.model.layout.ParameterIndex;
import org.sparkqlora.objective.AnswerObjective;
import org.sparkqlora.optim.DecayedTensors;
import org.sparkqlora.optim.OptimizerKind;
import org.sparkqlora.optim.OptimizerSpec;
import org.sparkqlora.optim.Paging;
import org.sparkqlora.optim.Schedule;
import org.sparkqlora.optim.ScheduleKind;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.tensor.Hardware;
import org.sparkqlora.tokenizer.packing.TokenRow;
import org.sparkqlora.train.GoldenPreference.Layout;
import org.sparkqlora.train.metrics.MetricsLog;
import org.sparkqlora.train.metrics.ProgressReporter;
import org.sparkqlora.train.metrics.StepMetrics;
import org.sparkqlora.weights.WeightFolder;

/** Four steps of preference training, beside TRL's (goldens/preference/README.md), whatever the rows and the shards are. */
class GoldenPreferenceTest {
    private static final int STEPS = 4;

    /**
     * Of numbers that float32 products make, or of the number itself where it is larger than 1. Of measures, of the largest: a mean of rewards
     * is as exact as they are.
     */
    private static final double TOLERANCE = 2e-5;

    private static final double NORM_TOLERANCE = 1e-4;

    /** Adam divides by a root: where a gradient is near 0, its rounding decides the sign of a step. */
    private static final double SHARE_OUTSIDE = 1e-3;

    private static final double ELEMENT_TOLERANCE = 1e-5;

    /** Losses that packing may change by the order of additions alone, of which some are 16: of the loss where it is larger than 1. */
    private static final double PACKED_TOLERANCE = 1e-6;

    private static final GoldenModel MODEL = new GoldenModel("llama-tied");

    @TempDir
    private static Path cache;

    static List<GoldenPreference> cases() {
        return GoldenPreference.all();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void stepsAreThoseOfTrlWhateverTheRowsAndTheShardsAre(GoldenPreference golden) {
        Outcome padded = run(golden, Layout.PADDED, 1);
        Outcome packed = run(golden, Layout.PACKED, 2);

        for (Outcome outcome : List.of(padded, packed)) {
            assertSameSteps(outcome, golden);
            if (golden.hasAdapter()) {
                assertSameAdapter(outcome, golden);
            }
        }

        double loss = padded.steps().get(0).loss();
        assertThat(packed.steps().get(0).loss()).isCloseTo(loss, within(PACKED_TOLERANCE * Math.max(1, loss)));
    }

    static List<GoldenPreference> quantized() {
        return GoldenPreference.quantized();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("quantized")
    void stepsOverFourBitsAreThoseOfTrlOverDequantisedWeights(GoldenPreference golden) {
        assertSameSteps(run(golden, Layout.PACKED, 2, Mode.QLORA), golden);
    }

    /** By the operations of a device, on the processor. */
    @ParameterizedTest(name = "{0}")
    @ValueSource(strings = {"sigmoid", "orpo", "reward-margin", "classify", "classify-several"})
    void stepsOnADeviceAreThoseOfTrl(String name) {
        GoldenPreference golden = GoldenPreference.of(name);

        assertSameSteps(run(golden, Layout.PACKED, 1, Mode.LORA, workers -> Hardware.operationsOnProcessor()), golden);
    }

    private static void assertSameSteps(Outcome outcome, GoldenPreference golden) {
        for (int step = 0; step < STEPS; step++) {
            assertSame(outcome.steps().get(step), golden.step(step));
        }
    }

    private static void assertSame(StepMetrics step, JsonNode expected) {
        assertThat(step.loss())
                .as("loss of step %d", step.step())
                .isCloseTo(
                        expected.get("loss").asDouble(),
                        near(expected.get("loss").asDouble()));
        assertThat(step.gradientNorm().orElseThrow())
                .as("norm of step %d", step.step())
                .isCloseTo(
                        expected.get("grad_norm").asDouble(),
                        within(NORM_TOLERANCE
                                * Math.max(1, expected.get("grad_norm").asDouble())));
        Map<String, Double> measures = step.measures();
        double largest = measures.keySet().stream()
                .mapToDouble(name -> Math.abs(expected.get(name).asDouble()))
                .max()
                .orElseThrow();
        assertThat(measures)
                .isNotEmpty()
                .allSatisfy((name, value) -> assertThat(value)
                        .as("%s of step %d", name, step.step())
                        .isCloseTo(expected.get(name).asDouble(), near(largest)));
    }

    private static org.assertj.core.data.Offset<Double> near(double expected) {
        return within(TOLERANCE * Math.max(1, Math.abs(expected)));
    }

    private static void assertSameAdapter(Outcome outcome, GoldenPreference golden) {
        FlatVector expected = outcome.adapter(golden);
        long outside = 0;
        for (long i = 0; i < expected.length(); i++) {
            outside += Math.abs(outcome.parameters().get(i) - expected.get(i)) > ELEMENT_TOLERANCE ? 1 : 0;
        }

        assertThat((double) outside / expected.length()).isLessThanOrEqualTo(SHARE_OUTSIDE);
    }

    /** @param parameters at the end */
    private record Outcome(List<StepMetrics> steps, FlatVector parameters, ParameterIndex index) {
        private FlatVector adapter(GoldenPreference golden) {
            return MODEL.flat(index, golden.adapter());
        }
    }

    private Outcome run(GoldenPreference golden, Layout layout, int shards) {
        return run(golden, layout, shards, Mode.LORA);
    }

    private Outcome run(GoldenPreference golden, Layout layout, int shards, Mode mode) {
        return run(golden, layout, shards, mode, Hardware::processor);
    }

    private Outcome run(GoldenPreference golden, Layout layout, int shards, Mode mode, Hardware.Source hardware) {
        List<TokenRow> rows = golden.rows(layout);
        int batch = Math.max(shards, rows.size());
        TrainPlan plan = new TrainPlan(
                        "golden",
                        spec(golden, mode),
                        null,
                        "rows",
                        new BatchPlan(
                                rows.size(), batch, 2, shards, BatchPlan.RowOrder.FILE_ORDER, (long) batch * STEPS),
                        new OptimizerSpec(OptimizerKind.ADAMW, 0.9, 0.999, 1e-8, 0, 1, DecayedTensors.ALL),
                        new Schedule(ScheduleKind.CONSTANT, 1e-3, 0, STEPS),
                        GradientDtype.FP32,
                        0.3,
                        0)
                .withObjective(golden.objective());
        WeightFolder weights = MODEL.weights(mode, cache);
        DecoderGradientModel decoder = new DecoderGradientModel(
                weights,
                LoadedModel.of(weights, plan.spec(), 1, Recompute.ALL, hardware),
                null,
                config -> Optional.empty());
        try (Workers workers = new Workers(1);
                GradientModel model = model(decoder, plan)) {
            StateHome home = new StateHome(workers, Paging.DEFAULT, cache);
            TrainState start = TrainState.fresh(
                    start(golden, mode, model.parameters()), model.parameters(), plan.optimizer(), plan.seed(), home);
            StepList steps = new StepList();
            List<Outcome> outcome = new ArrayList<>();
            new Trainer(
                            plan,
                            TrainFixture.atEnd(),
                            TrainFixture.noStates(),
                            steps,
                            ProgressReporter.silent(),
                            TrainFixture.noBest())
                    .run(
                            Resume.NEVER,
                            () -> start,
                            origin -> new LocalGradientSource(
                                    plan.batches(), model, home, origin.read(), TrainFixture.reader(rows), null),
                            parameters -> outcome.add(new Outcome(steps.steps, parameters.copy(), model.parameters())));
            return outcome.get(0);
        }
    }

    private static ModelSpec spec(GoldenPreference golden, Mode mode) {
        ModelSpec spec = MODEL.spec(mode);
        LoraSpec lora = Objects.requireNonNull(spec.lora());
        return new ModelSpec(
                spec.method(),
                spec.precision(),
                spec.quant(),
                lora.withSaved(lora.saved().withLabels(golden.outputs())));
    }

    private static FlatVector start(GoldenPreference golden, Mode mode, ParameterIndex index) {
        return golden.outputs() == 0 ? MODEL.start(mode, index) : MODEL.flat(index, golden.first());
    }

    private static GradientModel model(DecoderGradientModel decoder, TrainPlan plan) {
        boolean measured = plan.objective() instanceof AnswerObjective answers
                && answers.reference().isPresent();
        return ObjectiveGradientModel.of(
                decoder,
                plan.objective(),
                plan.sharedPrompts(),
                measured ? ReferenceParameters.base(plan.seed()) : null);
    }

    /** Keeps what each step did. */
    private static final class StepList implements MetricsLog {
        private final List<StepMetrics> steps = new ArrayList<>();

        @Override
        public void rewindTo(long step) {
            steps.clear();
        }

        @Override
        public void append(StepMetrics step, OptionalDouble evaluationLoss) {
            steps.add(step);
        }
    }
}
