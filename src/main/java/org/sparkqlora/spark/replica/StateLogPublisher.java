package org.sparkqlora.spark.replica;

import java.util.ArrayList;
import java.util.List;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.optim.OptimizerSpec;
import org.sparkqlora.spark.cluster.Broadcasts;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.train.SummedGradient;
import org.sparkqlora.train.TrainState;
import org.sparkqlora.train.Update;

/** Publishes the broadcasts from which any replica can be created or updated. Driver only. */
public final class StateLogPublisher implements AutoCloseable {
    private final JavaSparkContext context;
    private final OptimizerSpec optimizer;
    private final SnapshotPolicy policy;
    private final List<Update> updates = new ArrayList<>();
    private @Nullable BroadcastSnapshot snapshot;
    private @Nullable Update beforeSnapshot;
    private long updateBytes;

    public StateLogPublisher(JavaSparkContext context, OptimizerSpec optimizer, SnapshotPolicy policy) {
        this.context = context;
        this.optimizer = optimizer;
        this.policy = policy;
    }

    /** The log up to the version of {@code state}. */
    UpdateLog upTo(TrainState state) {
        BroadcastSnapshot current = snapshot;
        if (current == null || policy.isDue(updates.size(), updateBytes, current.length())) {
            Update last = updates.isEmpty() ? null : updates.remove(updates.size() - 1);
            close();
            beforeSnapshot = last;
            current = BroadcastSnapshot.of(context, state);
            snapshot = current;
        }

        return log(current);
    }

    /** Replicas that took the last step move on by its update, which is smaller than a snapshot. */
    private UpdateLog log(BroadcastSnapshot current) {
        if (beforeSnapshot == null) {
            return new UpdateLog(current, current.version(), updates, optimizer);
        }

        List<Update> all = new ArrayList<>(List.of(beforeSnapshot));
        all.addAll(updates);
        return new UpdateLog(current, beforeSnapshot.fromVersion(), all, optimizer);
    }

    /**
     * The state is about to move on by {@code update}. Executors drop the one before, which those that took the step have replayed;
     * who is behind gets it from the driver, or a snapshot.
     */
    void add(Update update) {
        if (!updates.isEmpty() && updates.get(updates.size() - 1).gradient() instanceof BroadcastGradient before) {
            before.unpersist();
        }

        closeBeforeSnapshot();
        updates.add(BroadcastGradient.of(context, update));
        updateBytes += update.gradient().length() * Float.BYTES;
    }

    @Override
    public void close() {
        updates.forEach(update -> update.gradient().close());
        updates.clear();
        updateBytes = 0;
        closeBeforeSnapshot();
        if (snapshot != null) {
            snapshot.close();
            snapshot = null;
        }
    }

    private void closeBeforeSnapshot() {
        if (beforeSnapshot != null) {
            beforeSnapshot.gradient().close();
            beforeSnapshot = null;
        }
    }

    /**
     * A summed gradient that the driver has.
     *
     * @param numbers of it
     * @param length count of them
     * @param squares sum of their squares
     */
    private record BroadcastGradient(Broadcast<FlatVector> numbers, long length, double squares)
            implements SummedGradient {
        private static final long serialVersionUID = 1L;

        /** Driver only: {@code update} for executors. */
        static Update of(JavaSparkContext context, Update update) {
            SummedGradient here = update.gradient();
            BroadcastGradient sent =
                    new BroadcastGradient(context.broadcast(here.vector()), here.length(), here.squares());
            return new Update(update.fromVersion(), sent, update.scale(), update.learningRate());
        }

        @Override
        public FlatVector vector() {
            return numbers.value();
        }

        /** Executors drop it; the driver still has it for who is behind. */
        void unpersist() {
            numbers.unpersist();
        }

        @Override
        public void close() {
            Broadcasts.destroy(numbers);
        }
    }
}
