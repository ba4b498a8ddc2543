package org.sparkqlora.spark.job;

import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.function.LongFunction;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.util.SerializableConfiguration;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.checkpoint.CheckpointDraft;
import org.sparkqlora.memory.ExchangeMemory;
import org.sparkqlora.model.generation.GenerationSpec;
import org.sparkqlora.model.layout.ParameterIndex;
import org.sparkqlora.model.loss.LossTotal;
import org.sparkqlora.model.loss.LossTotal.Measures;
import org.sparkqlora.optim.OptimizerPart;
import org.sparkqlora.optim.OptimizerSpec;
import org.sparkqlora.spark.blocks.ExecutorPlace;
import org.sparkqlora.spark.cluster.Broadcasts;
import org.sparkqlora.spark.cluster.CancelledJob;
import org.sparkqlora.spark.cluster.ModelTasks;
import org.sparkqlora.spark.cluster.TaskSlots;
import org.sparkqlora.spark.exchange.ExchangeChoice;
import org.sparkqlora.spark.exchange.GradientExchange;
import org.sparkqlora.spark.exchange.GradientSize;
import org.sparkqlora.spark.prepare.PreparedData;
import org.sparkqlora.spark.replica.DriverReplica;
import org.sparkqlora.spark.replica.ExecutorReplicas;
import org.sparkqlora.spark.replica.FollowingReplicas;
import org.sparkqlora.spark.replica.ReplicaGroup;
import org.sparkqlora.spark.replica.RunHandle;
import org.sparkqlora.spark.replica.ShardedReplicas;
import org.sparkqlora.spark.replica.SnapshotPolicy;
import org.sparkqlora.spark.replica.StateLogPublisher;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.train.BatchPlan;
import org.sparkqlora.train.GradientSource;
import org.sparkqlora.train.Position;
import org.sparkqlora.train.SavedState;
import org.sparkqlora.train.StateMean;
import org.sparkqlora.train.StateOrigin;
import org.sparkqlora.train.StepGradient;
import org.sparkqlora.train.SummedGradient;
import org.sparkqlora.train.TensorGroups;
import org.sparkqlora.train.TrainPlan;
import org.sparkqlora.train.TrainState;
import org.sparkqlora.train.UnreachableStateException;
import org.sparkqlora.train.Update;

/**
 * Takes each step as one plain Spark job of a task a shard. Driver only.
 *
 * <p>A task names the version it computes at and carries handles of a snapshot and of the updates since, from which any
 * executor, new or late, makes its replica. Nothing is registered and nothing waits for a certain executor, so they may come
 * and go at any time.
 */
public final class SparkGradientSource implements GradientSource {
    private static final double NANOS = 1e9;
    private static final int MOST_ATTEMPTS = 4;

    private final JavaSparkContext context;
    private final TrainPlan plan;
    private final @Nullable PreparedData heldOut;
    private final Broadcast<SerializableConfiguration> configuration;
    private final RunHandle run;
    private final int keptSteps;
    private final GradientExchange exchange;
    private final JavaRDD<Integer> shards;
    private final ReplicaGroup replicas;
    private final Runnable restoreInterrupts;

    /**
     * @param origin of the State that it begins with
     * @param choice of the gradient exchange
     */
    public SparkGradientSource(
            JavaSparkContext context, TrainingRun training, StateOrigin origin, ExchangeChoice choice) {
        this.context = context;
        this.restoreInterrupts = CancelledJob.interruptTasks(context);
        this.plan = training.plan();
        this.heldOut = training.heldOut();
        this.configuration = context.broadcast(new SerializableConfiguration(context.hadoopConfiguration()));
        this.run = new RunHandle(
                UUID.randomUUID().toString(),
                training.model(),
                plan.optimizer(),
                training.paging(),
                TaskSlots.threadsOfTask(context),
                training.rows().place(),
                configuration);
        boolean isSharded = isSharded(training, choice);
        this.keptSteps = isSharded ? 1 : keptSteps(training.snapshots(), choice.size());
        this.exchange = choice.exchange(context, run, plan.gradientFormat(), keptSteps, isSharded);
        this.shards = shardsOf(context, plan.batches());
        this.replicas = replicas(training, origin, choice); // last: what tasks find by name stays until this is closed
    }

    /** A State that cannot be had, as that of a checkpoint which has changed, leaves nothing open. */
    private ReplicaGroup replicas(TrainingRun training, StateOrigin origin, ExchangeChoice choice) {
        try {
            if (isSharded(training, choice)) {
                return sharded(Objects.requireNonNull(training.sharded()), origin);
            }

            return choice.executorsHoldState(plan.batches().localSteps())
                    ? new ExecutorReplicas(context, run, origin, keptSteps, this::recomputedSum)
                    : ofDriver(training, origin.read(), choice);
        } catch (RuntimeException | Error e) {
            restoreInterrupts.run();
            exchange.close();
            Broadcasts.destroy(configuration);
            throw e;
        }
    }

    private static boolean isSharded(TrainingRun training, ExchangeChoice choice) {
        return training.sharded() != null
                && choice.executorsHoldState(training.plan().batches().localSteps());
    }

    private ReplicaGroup sharded(ParameterIndex index, StateOrigin origin) {
        OptimizerSpec optimizer = plan.optimizer();
        List<OptimizerPart> cut = OptimizerPart.whole(optimizer, TensorGroups.of(index, optimizer))
                .cut(exchange.partStarts());
        return new ShardedReplicas(context, run, origin, cut, plan.seed(), this::recomputedSum);
    }

    private int keptSteps(SnapshotPolicy snapshots, GradientSize size) {
        long bytes = (long) plan.gradientFormat().sum().bytesOfValue() * size.parameters();
        int executors = Math.max(1, ExecutorPlace.all().size());
        return Math.min(snapshots.maxUpdates(), new ExchangeMemory(bytes, 1, executors).keptSteps());
    }

    private ReplicaGroup ofDriver(TrainingRun training, TrainState state, ExchangeChoice choice) {
        try {
            return choice.inDriver()
                    ? new DriverReplica(run, state)
                    : new FollowingReplicas(
                            state, new StateLogPublisher(context, plan.optimizer(), training.snapshots()));
        } catch (RuntimeException | Error e) {
            state.close();
            throw e;
        }
    }

    @Override
    public Position position() {
        return replicas.position();
    }

    @Override
    public FlatVector parameters() {
        return replicas.parameters();
    }

    @Override
    public SavedState saved() {
        return replicas.saved();
    }

    @Override
    public SavedState saved(LongFunction<Optional<CheckpointDraft>> drafts) {
        return replicas.saved(drafts);
    }

    @Override
    public SavedState savedByNextStep(LongFunction<Optional<CheckpointDraft>> drafts) {
        return replicas.savedByNextStep(plan.batches().shards(), drafts);
    }

    @Override
    public long optimizerResidentBytes() {
        return replicas.optimizerResidentBytes();
    }

    @Override
    public StepGradient gradient() {
        return sum();
    }

    @Override
    public StepGradient localRound(TrainPlan ofRun) {
        return sum();
    }

    private StepGradient sum() {
        long begin = System.nanoTime();
        long step = position().version();
        context.setJobDescription(String.format(
                Locale.ROOT, "train: step %d of %d", step + 1, plan.batches().steps()));
        StepGradient sum = reaching(() -> sumAt(step));
        replicas.computed(sum.shards());
        return sum.within((System.nanoTime() - begin) / NANOS, TaskSlots.available(context));
    }

    /** The sum of a step that was taken, by executors that are still before it. */
    private SummedGradient recomputedSum(long step) {
        return reaching(() -> sumAt(step)).gradient();
    }

    private StepGradient sumAt(long step) {
        boolean coupled = plan.objective().needsBatchSums() && plan.batches().localSteps() == 1;
        Measures ofBatch = coupled ? BatchSums.of(shards, run, plan, step, replicas.stateLog()) : Measures.NONE;
        GradientFunction function = new GradientFunction(
                run,
                plan,
                step,
                replicas.stateLog(),
                ofBatch,
                replicas.request().orElse(null));
        return exchange.sum(shards.map(function), step);
    }

    /** The result of {@code job}, which runs again if its tasks could not come to the State's version. */
    private <T> T reaching(Supplier<T> job) {
        for (int attempt = 1; ; attempt++) {
            try {
                return job.get();
            } catch (Exception e) {
                CancelledJob.rethrow(e); // Spark throws a lost job as a checked exception that no signature declares
                UnreachableStateException unreachable = unreachable(e);
                if (unreachable == null || attempt == MOST_ATTEMPTS) {
                    throw e;
                }
                replicas.recover(unreachable);
            }
        }
    }

    /** Of a task that failed by it, Spark tells the driver the name in a message. */
    private static @Nullable UnreachableStateException unreachable(Throwable thrown) {
        if (thrown instanceof UnreachableStateException unreachable) {
            return unreachable;
        }

        String message = String.valueOf(thrown.getMessage());
        return message.contains(UnreachableStateException.class.getName())
                ? new UnreachableStateException(message, thrown)
                : null;
    }

    @Override
    public void apply(Update update) {
        replicas.apply(update);
    }

    @Override
    public double become(StateMean mean, int steps) {
        return replicas.become(mean, steps);
    }

    @Override
    public LossTotal evaluate() {
        return heldOut == null
                ? LossTotal.ZERO
                : reaching(() -> SparkEvaluator.total(context, run, replicas, heldOut, microBatchSize()));
    }

    @Override
    public List<int[]> generate(List<int[]> prompts, GenerationSpec spec) {
        return reaching(() -> SparkGenerator.generateAll(context, run, replicas, prompts, spec));
    }

    @Override
    public void close() {
        context.setJobDescription(null);
        restoreInterrupts.run();
        exchange.close();
        replicas.close();
        Broadcasts.destroy(configuration);
    }

    private int microBatchSize() {
        return plan.batches().microBatchSize();
    }

    private static JavaRDD<Integer> shardsOf(JavaSparkContext context, BatchPlan batches) {
        List<Integer> numbers = IntStream.range(0, batches.shards()).boxed().toList();
        return ModelTasks.of(context.getConf()).place(context.parallelize(numbers, batches.shards()));
    }
}
