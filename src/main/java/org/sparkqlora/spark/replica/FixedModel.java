package org.sparkqlora.spark.replica;

import java.io.Serializable;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.util.LongAccumulator;
import org.sparkqlora.model.layout.ParameterIndex;
import org.sparkqlora.optim.OptimizerSpec;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.train.BoundAdapters;
import org.sparkqlora.train.BoundModel;
import org.sparkqlora.train.GradientModel;
import org.sparkqlora.train.ModelSource;
import org.sparkqlora.train.Replica;
import org.sparkqlora.train.Replica.ClosedReplicaException;
import org.sparkqlora.train.TrainState;

/**
 * A trained model that any task of the application may use, now or later: a handle of its parameters and where its base is. Each
 * process loads the base with the first task that asks, and keeps it. What was broadcast goes when no one has the handle any more.
 */
public final class FixedModel implements Serializable {
    private static final long serialVersionUID = 1L;

    private final RunHandle run;
    private final UpdateLog log;
    private final LongAccumulator opened;
    private final String adapter;

    private FixedModel(RunHandle run, UpdateLog log, LongAccumulator opened, String adapter) {
        this.run = run;
        this.log = log;
        this.opened = opened;
        this.adapter = adapter;
    }

    /** Driver only: makes {@code model} at {@code parameters} known to tasks. */
    public static FixedModel publish(
            JavaSparkContext context, ModelSource model, FlatVector parameters, ParameterIndex index) {
        LongAccumulator opened = context.sc().longAccumulator("base models loaded");
        RunHandle run = InferenceReplicas.run(context, new CountedModelSource(model, opened));
        OptimizerSpec still = OptimizerSpec.WITHOUT_STATE;
        try (Workers workers = new Workers(1);
                TrainState state = InferenceReplicas.still(parameters, index, workers)) {
            return new FixedModel(
                    run, new StateLogPublisher(context, still, SnapshotPolicy.DEFAULT).upTo(state), opened, "");
        }
    }

    /** The same base with one of its adapters; each process has it once. */
    public FixedModel with(String name) {
        return new FixedModel(run, log, opened, name);
    }

    /** Driver only: the count of base models loaded by processes, as far as their tasks have reported. */
    public long loads() {
        return opened.value();
    }

    /** Runs in a task. */
    public <T> T use(Function<BoundModel, T> work) {
        while (true) {
            Replica replica = ProcessReplicas.of(run).replica();
            try {
                return replica.at(log.snapshotVersion(), log, model -> work.apply(chosen(model)));
            } catch (ClosedReplicaException e) {
                // tasks with other models have taken its place since: it is made again
            }
        }
    }

    private BoundModel chosen(BoundModel model) {
        return model instanceof BoundAdapters adapters ? adapters.with(adapter) : model;
    }

    /**
     * A model source that counts how often processes open it, which should be once each.
     *
     * @param model to open
     * @param opened count, shown in Spark's UI too
     */
    record CountedModelSource(ModelSource model, LongAccumulator opened) implements ModelSource {
        @Override
        public String key() {
            return model.key();
        }

        @Override
        public Optional<String> problem(List<String> gpus) {
            return model.problem(gpus);
        }

        @Override
        public GradientModel open(int threads) {
            opened.add(1);
            return model.open(threads);
        }

        @Override
        public GradientModel open(int threads, List<String> gpus) {
            opened.add(1);
            return model.open(threads, gpus);
        }
    }
}
