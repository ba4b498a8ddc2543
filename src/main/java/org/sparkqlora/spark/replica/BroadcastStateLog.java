package org.sparkqlora.spark.replica;

import java.io.Serializable;
import java.util.List;
import org.apache.spark.broadcast.Broadcast;
import org.sparkqlora.optim.OptimizerSpec;
import org.sparkqlora.train.StateHome;
import org.sparkqlora.train.StateLog;
import org.sparkqlora.train.TrainState;
import org.sparkqlora.train.Update;

/**
 * A snapshot and the updates since, as handles: what a task carries is small, and a replica pulls only what it lacks.
 *
 * @param snapshotVersion the version of the snapshot
 * @param bytes of the snapshot
 * @param updates from {@code snapshotVersion} on
 * @param optimizer the rule of an update
 */
record BroadcastStateLog(
        long snapshotVersion, Broadcast<byte[][]> bytes, List<Broadcast<Update>> updates, OptimizerSpec optimizer)
        implements StateLog, Serializable {
    BroadcastStateLog {
        updates = List.copyOf(updates);
    }

    @Override
    public TrainState snapshot(StateHome home) {
        return StateBytes.read(bytes.value(), optimizer, home);
    }

    @Override
    public Update update(long version) {
        return updates.get(Math.toIntExact(version - snapshotVersion)).value();
    }
}
