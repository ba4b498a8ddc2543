package org.sparkqlora.spark;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.train.Replica;
import org.sparkqlora.train.TrainState;

/** What a process holds for the tasks of one run: the replica, the model under it, and the open files of rows. */
final class ExecutorReplica implements AutoCloseable {
    private final RunDescription run;
    private final Workers workers;
    private final SharedModels.Lease model;
    private final Replica replica;
    private final Map<String, PreparedRows> rows = new HashMap<>();

    private ExecutorReplica(RunDescription run, SharedModels models, @Nullable TrainState state) {
        this.run = run;
        this.workers = new Workers(run.threads());
        this.model = models.lease(run.model(), run.threads());
        this.replica =
                state == null ? Replica.empty(model.model(), workers) : Replica.of(model.model(), workers, state);
    }

    /** A replica that follows the driver by its broadcasts. */
    static ExecutorReplica following(RunDescription run, SharedModels models) {
        return new ExecutorReplica(run, models, null);
    }

    /** The driver's own replica, where tasks run in the driver. */
    static ExecutorReplica of(RunDescription run, SharedModels models, TrainState state) {
        return new ExecutorReplica(run, models, state);
    }

    Replica replica() {
        return replica;
    }

    long parameterCount() {
        return model.model().parameters().size();
    }

    synchronized PreparedRows rows(String folder) {
        return rows.computeIfAbsent(folder, this::open);
    }

    /** Waits for the tasks that compute. */
    @Override
    public void close() {
        replica.close();
        model.close();
        workers.close();
        closeRows();
    }

    private synchronized void closeRows() {
        rows.values().forEach(PreparedRows::close);
        rows.clear();
    }

    private PreparedRows open(String folder) {
        return PreparedData.open(folder, run.configuration().value().value())
                .reader(run.configuration().value().value());
    }
}
