package org.sparkqlora.spark.replica;

import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.SequenceInputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.sparkqlora.optim.OptimizerSpec;
import org.sparkqlora.train.StateHome;
import org.sparkqlora.train.TrainState;

/** A State as bytes, in chunks so that no array length limits it: what a snapshot broadcast carries. */
final class StateBytes {
    private static final int CHUNK = 1 << 24;

    private StateBytes() {}

    static byte[][] of(TrainState state) {
        ChunkedOutput chunks = new ChunkedOutput();
        try (DataOutputStream out = new DataOutputStream(chunks)) {
            state.write(out);
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to take a snapshot of version " + state.version(), e);
        }

        return chunks.finish();
    }

    static TrainState read(byte[][] chunks, OptimizerSpec optimizer, StateHome home) {
        List<InputStream> streams = Arrays.stream(chunks)
                .<InputStream>map(ByteArrayInputStream::new)
                .toList();
        try (DataInputStream in = new DataInputStream(new SequenceInputStream(Collections.enumeration(streams)))) {
            return TrainState.read(in, optimizer, home);
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to read a snapshot", e);
        }
    }

    static long length(byte[][] chunks) {
        return Arrays.stream(chunks).mapToLong(chunk -> chunk.length).sum();
    }

    private static final class ChunkedOutput extends OutputStream {
        private final List<byte[]> full = new ArrayList<>();
        private byte[] open = new byte[1 << 12];
        private int used;

        @Override
        public void write(int value) {
            write(new byte[] {(byte) value}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int from, int count) {
            int done = 0;
            while (done < count) {
                grow();
                int taken = Math.min(open.length - used, count - done);
                System.arraycopy(bytes, from + done, open, used, taken);
                used += taken;
                done += taken;
            }
        }

        private void grow() {
            if (used < open.length) {
                return;
            }

            if (open.length == CHUNK) {
                full.add(open);
                open = new byte[CHUNK];
                used = 0;
                return;
            }

            open = Arrays.copyOf(open, Math.min(CHUNK, open.length * 2));
        }

        private byte[][] finish() {
            full.add(Arrays.copyOf(open, used));
            return full.toArray(new byte[0][]);
        }
    }
}
