package org.sparkqlora.train;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.BiFunction;
import org.sparkqlora.model.DecoderModel;
import org.sparkqlora.model.GoldenModel;
import org.sparkqlora.model.GoldenModel.Mode;
import org.sparkqlora.model.LoadedModel;
import org.sparkqlora.model.Recompute;
import org.sparkqlora.model.layout.ModelSpec;
import org.sparkqlora.optim.OptimizerSpec;
import org.sparkqlora.optim.Paging;
import org.sparkqlora.optim.Schedule;
import org.sparkqlora.optim.ScheduleKind;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.train.metrics.MetricsLog;
import org.sparkqlora.train.metrics.ProgressReporter;
import org.sparkqlora.train.metrics.StepMetrics;
import org.sparkqlora.weights.WeightFolder;

/**
 * AdamW steps on the whole batch of a reference model, clipped to norm 1.
 *
 * @param cache for quantised weights
 */
record GoldenRun(GoldenModel golden, Mode mode, TrainPlan plan, TrainingDevice device, Path cache) {
    static TrainPlan plan(GoldenModel golden, ModelSpec spec, OptimizerSpec optimizer, double learningRate, int steps) {
        int rows = golden.batch().size();
        return new TrainPlan(
                "golden",
                spec,
                null,
                "rows",
                new BatchPlan(rows, rows, rows, 1, BatchPlan.RowOrder.FILE_ORDER, (long) rows * steps),
                optimizer,
                new Schedule(ScheduleKind.CONSTANT, learningRate, 0, steps),
                GradientDtype.FP32,
                1,
                0);
    }

    /**
     * What a run came to.
     *
     * @param steps all of them
     * @param parameters at its end
     */
    record Outcome(List<StepMetrics> steps, FlatVector parameters, OptionalDouble lossScale) {
        List<Double> losses() {
            return steps.stream().map(StepMetrics::loss).toList();
        }
    }

    Outcome run() {
        return run((state, home) -> state);
    }

    /** @param begin changes State(0) */
    Outcome run(BiFunction<TrainState, StateHome, TrainState> begin) {
        WeightFolder weights = golden.weights(mode, cache);
        try (Workers workers = new Workers(1);
                DecoderGradientModel model = new DecoderGradientModel(
                        weights,
                        LoadedModel.of(weights, plan.spec(), 1, Recompute.ALL, device.hardware()),
                        null,
                        config -> Optional.empty())) {
            StateHome home = new StateHome(workers, Paging.DEFAULT, cache, device.update());
            TrainState start = TrainState.fresh(
                            golden.start(mode, model.parameters()),
                            model.parameters(),
                            plan.optimizer(),
                            plan.seed(),
                            home)
                    .in(plan.spec().precision());
            StepList steps = new StepList();
            List<Outcome> outcome = new ArrayList<>();
            LastState last = new LastState(origin -> new LocalGradientSource(
                    plan.batches(), model, home, origin.read(), TrainFixture.reader(golden.batch()), null));
            new Trainer(
                            plan,
                            TrainFixture.atEnd(),
                            TrainFixture.noStates(),
                            steps,
                            ProgressReporter.silent(),
                            TrainFixture.noBest())
                    .run(
                            Resume.NEVER,
                            () -> begin.apply(start, home),
                            last::open,
                            parameters -> outcome.add(new Outcome(
                                    steps.steps,
                                    parameters.copy(),
                                    last.position().lossScale())));
            return outcome.get(0);
        }
    }

    /** The model's tensors of a recorded result. */
    FlatVector expected(String prefix) {
        WeightFolder weights = golden.weights(mode, cache);
        try (weights;
                DecoderModel model = LoadedModel.of(weights, plan.spec(), 1)) {
            return golden.expected(model.parameters(), prefix);
        }
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
