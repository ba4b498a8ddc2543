package org.sparkqlora.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.sparkqlora.model.DecoderModel;
import org.sparkqlora.model.GoldenModel;
import org.sparkqlora.model.GoldenModel.Mode;
import org.sparkqlora.optim.OptimizerKind;
import org.sparkqlora.optim.OptimizerSpec;
import org.sparkqlora.optim.Schedule;
import org.sparkqlora.optim.ScheduleKind;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.tokenizer.TokenRow;
import org.sparkqlora.weights.WeightFolder;

/** Five clipped AdamW steps on the whole batch, beside torch's (goldens/models/README.md). */
class GoldenTrainingTest {
    private static final int STEPS = 5;

    /** AdamW moves an element whose gradient is rounding noise by up to the learning rate in either direction: a few may differ. */
    private static final double ELEMENT_TOLERANCE = 1e-5;

    private static final double SHARE_OUTSIDE = 1e-3;
    private static final double LARGEST_DIFFERENCE = 1e-3;

    /** Each mean loss before a step; float64 differs by 9e-7. */
    private static final double LOSS_TOLERANCE = 2e-5;

    @TempDir
    private Path cache;

    static Stream<Arguments> adapted() {
        return Stream.of(
                        "llama-tied",
                        "llama-rope3-bf16",
                        "llama-sharded",
                        "mistral-window",
                        "qwen2-bias",
                        "qwen3-qknorm",
                        "saved-untied",
                        "saved-tied",
                        "saved-apart",
                        "llama-tied/variants/rslora",
                        "llama-tied/variants/dora",
                        "llama-tied/variants/qv",
                        "llama-tied/variants/patterns")
                .flatMap(name -> Stream.of(Arguments.of(name, Mode.LORA), Arguments.of(name, Mode.QLORA)));
    }

    @ParameterizedTest(name = "{0} {1}")
    @MethodSource("adapted")
    void fiveStepsEndWhereTheReferenceEnds(String name, Mode mode) {
        GoldenModel golden = new GoldenModel(name);
        List<TokenRow> rows = golden.batch();
        TrainPlan plan = plan(golden, mode, rows.size());
        WeightFolder weights = golden.weights(mode, cache);
        try (Workers workers = new Workers(1);
                DecoderGradientModel model =
                        new DecoderGradientModel(weights, DecoderModel.load(weights, plan.spec(), 1))) {
            TrainState start = TrainState.fresh(
                    golden.adapter(model.parameters()), model.parameters(), plan.optimizer(), plan.seed(), workers);
            FlatVector expected = golden.expected(model.parameters(), mode.prefix() + ".after5.");
            LossList losses = new LossList();
            new Trainer(plan, Rhythm.atEnd(), StateStore.none(), losses, ProgressReporter.silent())
                    .run(
                            Resume.NEVER,
                            () -> start,
                            state -> new LocalGradientSource(
                                    plan.batches(), model, workers, state, TrainFixture.reader(rows), null),
                            state -> assertSame(state.parameters(), expected));
            assertThat(losses.losses).hasSize(STEPS);
            for (int step = 0; step < STEPS; step++) {
                assertThat(losses.losses.get(step))
                        .isCloseTo(
                                golden.expectedNumbers(mode)
                                        .get("losses")
                                        .get(step)
                                        .asDouble(),
                                within(LOSS_TOLERANCE));
            }
        }
    }

    private static TrainPlan plan(GoldenModel golden, Mode mode, int rows) {
        return new TrainPlan(
                "golden",
                golden.spec(mode),
                null,
                "rows",
                new BatchPlan(rows, rows, rows, 1, BatchPlan.RowOrder.FILE_ORDER, (long) rows * STEPS),
                new OptimizerSpec(OptimizerKind.ADAMW, 0.9, 0.999, 1e-8, 0.01),
                new Schedule(ScheduleKind.CONSTANT, 1e-3, 0, STEPS),
                1,
                0);
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

    /** Keeps the loss of each step. */
    private static final class LossList implements MetricsLog {
        private final List<Double> losses = new ArrayList<>();

        @Override
        public void rewindTo(long step) {
            losses.clear();
        }

        @Override
        public void append(StepMetrics step, OptionalDouble evaluationLoss) {
            losses.add(step.loss());
        }
    }
}
