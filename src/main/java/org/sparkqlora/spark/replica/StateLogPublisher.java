package org.sparkqlora.spark.replica;

import java.util.ArrayList;
import java.util.List;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.optim.OptimizerSpec;
import org.sparkqlora.train.TrainState;
import org.sparkqlora.train.Update;

/** Publishes the broadcasts from which any replica can be created or updated. Driver only. */
public final class StateLogPublisher implements AutoCloseable {
    private final JavaSparkContext context;
    private final OptimizerSpec optimizer;
    private final SnapshotPolicy policy;
    private final List<Broadcast<Update>> updates = new ArrayList<>();
    private @Nullable Broadcast<byte[][]> snapshot;
    private long snapshotVersion;
    private long snapshotBytes;
    private long updateBytes;

    public StateLogPublisher(JavaSparkContext context, OptimizerSpec optimizer, SnapshotPolicy policy) {
        this.context = context;
        this.optimizer = optimizer;
        this.policy = policy;
    }

    /** The log up to the version of {@code state}. */
    BroadcastStateLog upTo(TrainState state) {
        Broadcast<byte[][]> current = snapshot;
        if (current == null || policy.isDue(updates.size(), updateBytes, snapshotBytes)) {
            current = rotate(state);
        }

        return new BroadcastStateLog(snapshotVersion, current, updates, optimizer);
    }

    /**
     * The state is about to move on by {@code update}. Executors drop the one before, which those that took the step have replayed;
     * who is behind gets it from the driver.
     */
    void add(Update update) {
        if (!updates.isEmpty()) {
            updates.get(updates.size() - 1).unpersist();
        }

        updates.add(context.broadcast(update));
        updateBytes += update.gradient().length() * Float.BYTES;
    }

    @Override
    public void close() {
        updates.forEach(Broadcast::destroy);
        updates.clear();
        updateBytes = 0;
        if (snapshot != null) {
            snapshot.destroy();
            snapshot = null;
        }
    }

    private Broadcast<byte[][]> rotate(TrainState state) {
        close();
        byte[][] bytes = StateBytes.of(state);
        Broadcast<byte[][]> fresh = context.broadcast(bytes);
        snapshot = fresh;
        snapshotVersion = state.version();
        snapshotBytes = StateBytes.length(bytes);
        return fresh;
    }
}
