package org.sparkqlora.spark.replica;

import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.SequenceInputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Enumeration;
import java.util.Iterator;
import java.util.function.IntPredicate;
import org.sparkqlora.optim.OptimizerSpec;
import org.sparkqlora.train.StateHome;
import org.sparkqlora.train.TrainState;

/** A State as arrays of bytes, all but the last of 16 MiB, so that no array length limits it and one at a time may be on its way. */
final class StatePieces {
    private static final int LENGTH = 1 << 24;

    private StatePieces() {}

    /** Takes a piece. */
    @FunctionalInterface
    interface Target {
        /**
         * @param number its place among all pieces
         * @param bytes of the piece, which it may not keep
         */
        void take(int number, ByteBuffer bytes);
    }

    /** Gives those pieces of {@code state} whose numbers are {@code wanted}, each to {@code target} when it is full. */
    static void write(TrainState state, IntPredicate wanted, Target target) {
        try (DataOutputStream out = new DataOutputStream(new PieceOutput(wanted, target))) {
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

    /** Cuts what is written into pieces. A piece grows as it is filled, for States that are small; one that nobody wants takes no room. */
    private static final class PieceOutput extends OutputStream {
        private static final byte[] NONE = {};

        private final IntPredicate wanted;
        private final Target target;
        private int number;
        private int used;
        private byte[] piece;
        private byte[] whole = NONE;

        private PieceOutput(IntPredicate wanted, Target target) {
            this.wanted = wanted;
            this.target = target;
            this.piece = wanted.test(0) ? new byte[1 << 12] : NONE;
        }

        @Override
        public void write(int value) {
            write(new byte[] {(byte) value}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int from, int count) {
            for (int done = 0; done < count; ) {
                makeRoom();
                int taken = Math.min((piece == NONE ? LENGTH : piece.length) - used, count - done);
                if (piece != NONE) {
                    System.arraycopy(bytes, from + done, piece, used, taken);
                }

                used += taken;
                done += taken;
            }
        }

        private void makeRoom() {
            if (piece != NONE && used == piece.length && used < LENGTH) {
                piece = Arrays.copyOf(piece, Math.min(LENGTH, piece.length * 2));
            } else if (used == LENGTH) {
                end();
                number++;
                used = 0;
                piece = wanted.test(number) ? full() : NONE;
            }
        }

        private byte[] full() {
            if (whole.length < LENGTH) {
                whole = piece.length == LENGTH ? piece : new byte[LENGTH];
            }

            return whole;
        }

        private void end() {
            if (piece != NONE) {
                target.take(number, ByteBuffer.wrap(piece, 0, used));
            }
        }

        @Override
        public void close() {
            end();
        }
    }
}
