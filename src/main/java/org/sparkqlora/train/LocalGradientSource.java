package org.sparkqlora.train;

import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.model.generation.GenerationSpec;
import org.sparkqlora.model.loss.LossTotal;
import org.sparkqlora.model.loss.LossTotal.Measures;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.train.metrics.Phase;
import org.sparkqlora.train.metrics.PhaseClock;
import org.sparkqlora.train.metrics.ProcessMemory;
import org.sparkqlora.train.metrics.ShardReport;

/** Computes the shards one after the other in this process, and owns the State: the reference that every cluster must equal. */
public final class LocalGradientSource implements GradientSource {
    private static final double NANOS = 1e9;

    private final BatchPlan batches;
    private final TrainState state;
    private final StateHome home;
    private final Replica replica;
    private final ShardTask task;
    private final RowReader rows;
    private final @Nullable RowReader heldOut;

    public LocalGradientSource(
            BatchPlan batches,
            GradientModel model,
            StateHome home,
            TrainState state,
            RowReader rows,
            @Nullable RowReader heldOut) {
        this.batches = batches;
        this.state = state;
        this.home = home;
        this.replica = Replica.of(model, home, state);
        this.rows = rows;
        this.task = new ShardTask(batches, state.seed(), rows);
        this.heldOut = heldOut;
    }

    @Override
    public Position position() {
        return state.position();
    }

    @Override
    public FlatVector parameters() {
        return state.parameters();
    }

    @Override
    public SavedState saved() {
        return state;
    }

    @Override
    public long optimizerResidentBytes() {
        return state.optimizerResidentBytes();
    }

    @Override
    public StepGradient gradient() {
        long step = state.version();
        Measures ofBatch = replica.at(step, StateLog.Own.INSTANCE, model -> batchSums(model, step));
        return sum((shard, clock) -> replica.at(
                step,
                StateLog.Own.INSTANCE,
                clock,
                model -> task.compute(model, state.freshGradient(home), step, shard, ofBatch)));
    }

    private Measures batchSums(BoundModel model, long step) {
        Measures sums = Measures.NONE;
        for (int shard = 0; shard < batches.shards(); shard++) {
            sums = sums.plus(task.batchSums(model, step, shard));
        }

        return sums;
    }

    @Override
    public StepGradient localRound(TrainPlan plan) {
        LocalSgdRound round = new LocalSgdRound(plan, rows, home);
        return sum((shard, clock) -> round.compute(replica, StateLog.Own.INSTANCE, state.version(), shard, clock));
    }

    private StepGradient sum(BiFunction<Integer, PhaseClock, ShardResult> compute) {
        long begin = System.nanoTime();
        List<ShardResult> results = new ArrayList<>();
        for (int shard = 0; shard < batches.shards(); shard++) {
            PhaseClock clock = PhaseClock.startIn(Phase.LOAD);
            ShardResult result = compute.apply(shard, clock);
            results.add(result.reported(new ShardReport("driver", clock.seconds(), ProcessMemory.ofThisProcess())));
        }

        return StepGradient.sum(state.version(), batches.shards(), results, GradientFormat.FP32)
                .within((System.nanoTime() - begin) / NANOS, 1);
    }

    @Override
    public double become(StateMean mean, int steps) {
        return replica.change(own -> own.become(mean, steps));
    }

    @Override
    public void apply(Update update) {
        replica.apply(update);
    }

    @Override
    public LossTotal evaluate() {
        RowReader rows = heldOut;
        if (rows == null) {
            return LossTotal.ZERO;
        }

        return replica.at(state.version(), StateLog.Own.INSTANCE, model -> lossOver(model, rows));
    }

    @Override
    public List<int[]> generate(List<int[]> prompts, GenerationSpec spec) {
        return replica.at(state.version(), StateLog.Own.INSTANCE, model -> {
            List<int[]> answers = new ArrayList<>();
            for (int i = 0; i < prompts.size(); i++) {
                answers.add(model.generate(prompts.get(i), spec.ofText(i)));
            }

            return answers;
        });
    }

    @Override
    public void close() {
        replica.close();
        state.close();
    }

    private static LossTotal lossOver(BoundModel model, RowReader rows) {
        LossTotal total = LossTotal.ZERO;
        for (long row = 0; row < rows.rows(); row++) {
            for (LossTotal document : model.losses(List.of(rows.read(row)))) {
                total = total.plus(document);
            }
        }

        return total;
    }
}
