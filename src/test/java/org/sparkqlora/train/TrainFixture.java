package org.sparkqlora.train;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.model.layout.LoraSpec;
import org.sparkqlora.model.layout.Method;
import org.sparkqlora.model.layout.ModelSpec;
import org.sparkqlora.model.layout.Precision;
import org.sparkqlora.optim.OptimizerKind;
import org.sparkqlora.optim.OptimizerSpec;
import org.sparkqlora.optim.Schedule;
import org.sparkqlora.optim.ScheduleKind;
import org.sparkqlora.quant.QuantSpec;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.tokenizer.packing.TokenRow;
import org.sparkqlora.train.metrics.StepMetrics;

/** Plans and rows for tests. The language counts upwards, with a slip now and then. */
public final class TrainFixture {
    public static final int WIDTH = 12;

    private TrainFixture() {}

    public static TrainPlan plan(BatchPlan batches) {
        return plan(batches, new OptimizerSpec(OptimizerKind.ADAMW, 0.9, 0.999, 1e-8, 0.01));
    }

    public static TrainPlan plan(BatchPlan batches, OptimizerSpec optimizer) {
        return new TrainPlan(
                "bigram",
                new ModelSpec(Method.QLORA, Precision.FP32, QuantSpec.DEFAULT, LoraSpec.allLinear(4, 8)),
                null,
                "rows",
                batches,
                optimizer,
                new Schedule(ScheduleKind.CONSTANT, 0.05, 0, batches.steps()),
                GradientDtype.FP32,
                1.0,
                42);
    }

    /** Keeps nothing. */
    public static StateStore noStates() {
        return new StateStore() {
            @Override
            public Optional<Stored> newest() {
                return Optional.empty();
            }

            @Override
            public void save(SavedState state, Optional<StepMetrics> unevaluated) {}
        };
    }

    /** Checkpoints and evaluates at the end. */
    public static TrainTriggers atEnd() {
        return triggers(Trigger.every(0), Trigger.every(0));
    }

    /** To the end of the plan. */
    public static TrainTriggers triggers(Trigger checkpoint, Trigger evaluate) {
        return new TrainTriggers(checkpoint, Optional.of(evaluate), 0);
    }

    /** Asks nothing, and adds each step at which it is asked to {@code steps}. */
    static SampleLog recordedIn(List<Long> steps) {
        return new SampleLog() {
            @Override
            public void rewindTo(long step) {
                steps.removeIf(taken -> taken > step);
            }

            @Override
            public void take(long step, GradientSource source) {
                steps.add(step);
            }
        };
    }

    /** The last State is published. */
    public static BestModelAndSamples noBest() {
        return new BestModelAndSamples(Optional.empty(), SampleLog.none());
    }

    public static BatchPlan batches(int shards, int microBatchSize, int steps) {
        return new BatchPlan(50, 8, microBatchSize, shards, BatchPlan.RowOrder.SHUFFLED, 8L * steps);
    }

    public static TrainState freshState(TrainPlan plan, GradientModel model) {
        return TrainState.fresh(
                model.initialParameters(plan.seed()),
                model.parameters(),
                plan.optimizer(),
                plan.seed(),
                StateHome.inMemory(new Workers(1)));
    }

    /** Gradients in this process, by one thread, from {@code state} on. */
    public static GradientSource inThisProcess(
            TrainPlan plan, GradientModel model, TrainState state, RowReader rows, @Nullable RowReader heldOut) {
        return new LocalGradientSource(plan.batches(), model, StateHome.inMemory(new Workers(1)), state, rows, heldOut);
    }

    /** State(0), which executors make by themselves, and the driver by {@code driver}. */
    public static StateOrigin madeByExecutors(TrainPlan plan, Supplier<TrainState> driver) {
        return new ByRecipe(
                driver, new StateOrigin.FirstValues(plan.seed(), plan.spec().precision()));
    }

    /**
     * A State that other processes make by {@code made}.
     *
     * @param driver makes it in this one
     */
    public static StateOrigin byRecipe(StateOrigin.Recipe made, Supplier<TrainState> driver) {
        return new ByRecipe(driver, made);
    }

    private record ByRecipe(Supplier<TrainState> driver, Recipe made) implements StateOrigin {
        @Override
        public TrainState read() {
            return driver.get();
        }

        @Override
        public Optional<Recipe> recipe() {
            return Optional.of(made);
        }
    }

    /** All of a State, as a checkpoint has it. */
    public static byte[] bytes(SavedState state) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try {
            state.write(new DataOutputStream(bytes));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }

        return bytes.toByteArray();
    }

    public static float[] values(FlatVector vector) {
        float[] values = new float[Math.toIntExact(vector.length())];
        vector.read(0, values, 0, values.length);
        return values;
    }

    public static List<TokenRow> countingRows(int count, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        List<TokenRow> rows = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            rows.add(countingRow(random));
        }

        return rows;
    }

    public static RowReader reader(List<TokenRow> rows) {
        return new RowReader() {
            @Override
            public long rows() {
                return rows.size();
            }

            @Override
            public TokenRow read(long row) {
                return rows.get(Math.toIntExact(row));
            }
        };
    }

    private static TokenRow countingRow(SplittableRandom random) {
        int length = random.nextInt(4, WIDTH + 1);
        int second = random.nextInt(2, length - 1);
        int[] ids = new int[WIDTH];
        boolean[] trained = new boolean[WIDTH];
        boolean[] starts = new boolean[WIDTH];
        int token = random.nextInt(BigramModel.VOCABULARY);
        for (int t = 0; t < length; t++) {
            starts[t] = t == 0 || t == second;
            trained[t] = !starts[t];
            ids[t] = token;
            token = (token + (random.nextInt(10) == 0 ? 3 : 1)) % BigramModel.VOCABULARY;
        }

        return new TokenRow(ids, trained, starts, length);
    }
}
