package org.sparkqlora.spark.replica;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.spark.cluster.ScratchFolder;
import org.sparkqlora.spark.cluster.SharedResources;
import org.sparkqlora.spark.prepare.PreparedRows;
import org.sparkqlora.spark.prepare.RowsPlace;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.train.GradientModel;
import org.sparkqlora.train.Replica;
import org.sparkqlora.train.ShardResult;
import org.sparkqlora.train.StateHome;
import org.sparkqlora.train.TrainState;

/** The resources of a process for the tasks of one run: the replica, its model, and the open files of rows. */
public final class ProcessReplica implements AutoCloseable {
    private final RunHandle run;
    private final Workers workers;
    private final SharedResources<GradientModel>.Lease model;
    private final StateHome home;
    private final Replica replica;
    private final boolean ofDriver;
    private final Map<RowsPlace, PreparedRows> rows = new HashMap<>();
    private final Map<Long, Map<Integer, ShardResult>> left = new HashMap<>();
    private final StateFiles files = new StateFiles();

    private ProcessReplica(
            RunHandle run, Workers workers, SharedResources<GradientModel>.Lease model, @Nullable TrainState state) {
        this.run = run;
        this.workers = workers;
        this.model = model;
        this.ofDriver = state != null;
        this.home = new StateHome(
                workers,
                run.paging(),
                ScratchFolder.ofProcess(),
                model.get().gpuUpdate().orElse(null));
        this.replica = state == null ? Replica.empty(model.get(), home) : Replica.of(model.get(), home, state);
    }

    /** One that cannot be made holds nothing: neither threads nor the model, which could then never be closed. */
    private static ProcessReplica make(
            RunHandle run, SharedResources<GradientModel> models, List<String> gpus, @Nullable TrainState state) {
        Workers workers = new Workers(run.threads());
        SharedResources<GradientModel>.Lease model = null;
        try {
            model = models.lease(run.model().key() + gpus, () -> run.model().open(run.threads(), gpus));
            return new ProcessReplica(run, workers, model, state);
        } catch (RuntimeException | Error e) {
            if (model != null) {
                model.close();
            }

            workers.close();
            throw e;
        }
    }

    /**
     * A replica that follows the driver by its broadcasts.
     *
     * @param gpus that tasks of it hold
     */
    static ProcessReplica following(RunHandle run, SharedResources<GradientModel> models, List<String> gpus) {
        return make(run, models, gpus, null);
    }

    /** The driver's own replica, where tasks run in the driver. */
    static ProcessReplica of(RunHandle run, SharedResources<GradientModel> models, TrainState state) {
        return make(run, models, List.of(), state);
    }

    public StateHome home() {
        return home;
    }

    GradientModel model() {
        return model.get();
    }

    public Replica replica() {
        return replica;
    }

    /** The files of States that are being written here. */
    StateFiles files() {
        return files;
    }

    /** Of Hadoop's file systems. */
    Configuration configuration() {
        return run.configuration().value().value();
    }

    /** Zeros for a task's gradient: what is sent to the driver goes through memory, what stays in it need not. */
    public FlatVector freshGradient() {
        long length = model.get().parameters().size();
        return ofDriver && home.keepsInFile(run.optimizer(), length)
                ? home.zeros(run.optimizer(), length)
                : replica.freshGradient();
    }

    /** A task of the driver's process leaves its result here, to be taken as it is. */
    public synchronized void leave(long step, ShardResult result) {
        ShardResult before = left.computeIfAbsent(step, any -> new TreeMap<>()).put(result.shard(), result);
        if (before != null) {
            close(before);
        }
    }

    /** The results of {@code step}; what tasks of other steps left is of no use any more. */
    public synchronized List<ShardResult> take(long step) {
        Map<Integer, ShardResult> results = left.getOrDefault(step, Map.of());
        left.remove(step);
        left.values().forEach(stale -> stale.values().forEach(ProcessReplica::close));
        left.clear();
        return List.copyOf(results.values());
    }

    private static void close(ShardResult result) {
        if (result instanceof ShardResult.Gradient gradient) {
            gradient.gradient().close();
        }
    }

    public synchronized PreparedRows rows(RowsPlace place) {
        return rows.computeIfAbsent(place, absent -> absent.open(configuration()));
    }

    /** Waits for the tasks that compute. */
    @Override
    public void close() {
        replica.close();
        model.close();
        workers.close();
        left.values().forEach(results -> results.values().forEach(ProcessReplica::close));
        left.clear();
        closeRows();
    }

    private synchronized void closeRows() {
        rows.values().forEach(PreparedRows::close);
        rows.clear();
    }
}
