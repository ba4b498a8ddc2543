package org.sparkqlora.spark.replica;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
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
        List<byte[]> pieces = new ArrayList<>();
        StatePieces.write(state, number -> true, (number, bytes) -> pieces.add(copy(bytes)));
        long length = pieces.stream().mapToLong(piece -> piece.length).sum();
        return new BroadcastSnapshot(state.version(), context.broadcast(pieces.toArray(new byte[0][])), length);
    }

    private static byte[] copy(ByteBuffer bytes) {
        byte[] copy = new byte[bytes.remaining()];
        bytes.get(copy);
        return copy;
    }

    @Override
    public TrainState read(OptimizerSpec optimizer, StateHome home) {
        return StatePieces.read(List.of(bytes.value()).iterator(), optimizer, home);
    }

    @Override
    public void close() {
        bytes.destroy();
    }
}
