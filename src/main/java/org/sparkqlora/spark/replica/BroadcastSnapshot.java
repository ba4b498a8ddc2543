package org.sparkqlora.spark.replica;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.sparkqlora.optim.OptimizerSpec;
import org.sparkqlora.spark.cluster.Broadcasts;
import org.sparkqlora.train.GradientModel;
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
        byte[][] pieces = IntStream.range(0, StatePieces.count(state))
                .mapToObj(number -> piece(state, number))
                .toArray(byte[][]::new);
        return new BroadcastSnapshot(state.version(), context.broadcast(pieces), state.savedBytes());
    }

    private static byte[] piece(TrainState state, int number) {
        byte[] bytes = new byte[StatePieces.length(state, number)];
        StatePieces.read(state, number, ByteBuffer.wrap(bytes));
        return bytes;
    }

    @Override
    public TrainState read(GradientModel model, OptimizerSpec optimizer, StateHome home) {
        return StatePieces.read(Arrays.stream(bytes.value()), optimizer, home);
    }

    @Override
    public void close() {
        Broadcasts.destroy(bytes);
    }
}
