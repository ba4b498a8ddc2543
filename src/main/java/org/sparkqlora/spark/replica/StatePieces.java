package org.sparkqlora.spark.replica;

import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.stream.Stream;
import org.sparkqlora.optim.OptimizerSpec;
import org.sparkqlora.storage.JoinedStreams;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.train.StateHome;
import org.sparkqlora.train.TrainState;

/** A State as arrays of bytes, all but the last of 16 MiB, so that no array length limits it and one at a time may be on its way. */
final class StatePieces {
    private static final int LENGTH = 1 << 24;

    private StatePieces() {}

    static int count(TrainState state) {
        return Math.toIntExact((state.savedBytes() + LENGTH - 1) / LENGTH);
    }

    /** Bytes of a piece. */
    static int length(TrainState state, int number) {
        return (int) Math.min(LENGTH, state.savedBytes() - (long) number * LENGTH);
    }

    /** Fills {@code target}, which is as long as the piece. */
    static void read(TrainState state, int number, ByteBuffer target) {
        state.readSaved((long) number * LENGTH, target);
    }

    /** The State of {@code pieces}, each of which is asked for when it is needed. */
    static TrainState read(Stream<byte[]> pieces, OptimizerSpec optimizer, StateHome home) {
        try (DataInputStream in = joined(pieces)) {
            return TrainState.read(in, optimizer, home);
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to read a State", e);
        }
    }

    /** The parameters alone; pieces behind them are not asked for. */
    static FlatVector readParameters(Stream<byte[]> pieces, OptimizerSpec optimizer, StateHome home) {
        try (DataInputStream in = joined(pieces)) {
            return TrainState.readParameters(in, optimizer, home);
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to read the parameters of a State", e);
        }
    }

    private static DataInputStream joined(Stream<byte[]> pieces) {
        return new DataInputStream(
                new JoinedStreams(pieces.map(ByteArrayInputStream::new).iterator()));
    }
}
