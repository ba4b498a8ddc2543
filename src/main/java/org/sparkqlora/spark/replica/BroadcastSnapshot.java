package org.sparkqlora.spark.replica;

import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.sparkqlora.optim.OptimizerSpec;
import org.sparkqlora.train.StateHome;
import org.sparkqlora.train.TrainState;

/**
 * A State that the driver had.
 *
 * @param version of the State
 * @param bytes of it
 * @param length count of them
 */
record BroadcastSnapshot(long version, Broadcast<byte[][]> bytes, long length) implements Snapshot {
    /** Driver only. */
    static BroadcastSnapshot of(JavaSparkContext context, TrainState state) {
        byte[][] bytes = StateBytes.of(state);
        return new BroadcastSnapshot(state.version(), context.broadcast(bytes), StateBytes.length(bytes));
    }

    @Override
    public TrainState read(OptimizerSpec optimizer, StateHome home) {
        return StateBytes.read(bytes.value(), optimizer, home);
    }

    @Override
    public void close() {
        bytes.destroy();
    }
}
