package org.sparkqlora.spark.replica;

import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.SequenceInputStream;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.Enumeration;
import java.util.Iterator;
import java.util.function.Consumer;
import org.sparkqlora.optim.OptimizerSpec;
import org.sparkqlora.train.StateHome;
import org.sparkqlora.train.TrainState;

/** A State as arrays of bytes, all but the last of 16 MiB, so that no array length limits it and one at a time may be on its way. */
final class StatePieces {
    private static final int LENGTH = 1 << 24;

    private StatePieces() {}

    /** Gives the pieces of {@code state}, each to {@code target} when it is full. */
    static void write(TrainState state, Consumer<byte[]> target) {
        try (DataOutputStream out = new DataOutputStream(new PieceOutput(target))) {
            state.write(out);
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to write the State of version " + state.version(), e);
        }
    }

    /** The State of {@code pieces}, each of which is asked for when it is needed. */
    static TrainState read(Iterator<byte[]> pieces, OptimizerSpec optimizer, StateHome home) {
        try (DataInputStream in = new DataInputStream(new SequenceInputStream(streams(pieces)))) {
            return TrainState.read(in, optimizer, home);
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to read a State", e);
        }
    }

    private static Enumeration<InputStream> streams(Iterator<byte[]> pieces) {
        return new Enumeration<>() {
            @Override
            public boolean hasMoreElements() {
                return pieces.hasNext();
            }

            @Override
            public InputStream nextElement() {
                return new ByteArrayInputStream(pieces.next());
            }
        };
    }

    /** Cuts what is written into pieces. A piece grows as it is filled, for States that are small. */
    private static final class PieceOutput extends OutputStream {
        private final Consumer<byte[]> target;
        private byte[] piece = new byte[1 << 12];
        private int used;

        private PieceOutput(Consumer<byte[]> target) {
            this.target = target;
        }

        @Override
        public void write(int value) {
            write(new byte[] {(byte) value}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int from, int count) {
            for (int done = 0; done < count; ) {
                makeRoom();
                int taken = Math.min(piece.length - used, count - done);
                System.arraycopy(bytes, from + done, piece, used, taken);
                used += taken;
                done += taken;
            }
        }

        private void makeRoom() {
            if (used < piece.length) {
                return;
            }

            if (piece.length < LENGTH) {
                piece = Arrays.copyOf(piece, Math.min(LENGTH, piece.length * 2));
                return;
            }

            target.accept(piece);
            piece = new byte[LENGTH];
            used = 0;
        }

        @Override
        public void close() {
            target.accept(Arrays.copyOf(piece, used));
        }
    }
}
