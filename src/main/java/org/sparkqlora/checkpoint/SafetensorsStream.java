package org.sparkqlora.checkpoint;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import org.sparkqlora.quant.FloatSource;
import org.sparkqlora.weights.safetensors.InvalidWeightsException;
import org.sparkqlora.weights.safetensors.StoredNumbers;
import org.sparkqlora.weights.safetensors.TensorSpec;

/** Floats on their way to and from a stream, a piece at a time. */
final class SafetensorsStream {
    private static final int PIECE = 1 << 16;

    private SafetensorsStream() {}

    /** Appends {@code source} as the type of {@code spec}; refuses numbers that are not finite. */
    static void write(OutputStream out, TensorSpec spec, FloatSource source) throws IOException {
        float[] values = new float[PIECE];
        ByteBuffer bytes = ByteBuffer.allocate(PIECE * spec.type().bytes());
        for (long from = 0; from < source.length(); from += PIECE) {
            int count = (int) Math.min(PIECE, source.length() - from);
            source.read(from, values, count);
            requireFinite(spec, from, values, count);
            StoredNumbers.narrow(spec.type(), values, 0, count, bytes.clear());
            out.write(bytes.array(), 0, bytes.position());
        }
    }

    /** Takes the numbers of {@code spec} off the stream. */
    static void read(InputStream in, TensorSpec spec, Target target) throws IOException {
        float[] values = new float[PIECE];
        long elements = spec.elements();
        for (long from = 0; from < elements; from += PIECE) {
            int count = (int) Math.min(PIECE, elements - from);
            byte[] bytes = in.readNBytes(count * spec.type().bytes());
            if (bytes.length < count * spec.type().bytes()) {
                throw new EOFException("the file ends within tensor " + spec.name());
            }

            StoredNumbers.widen(spec.type(), ByteBuffer.wrap(bytes), 0, values, 0, count);
            target.put(from, values, count);
        }
    }

    private static void requireFinite(TensorSpec spec, long from, float[] values, int count) {
        for (int i = 0; i < count; i++) {
            if (!Float.isFinite(values[i])) {
                throw new InvalidWeightsException(
                        "Cannot write tensor %s: expected finite numbers, found %s at index %d"
                                .formatted(spec.name(), values[i], from + i));
            }
        }
    }

    /** Takes {@code count} numbers, the first of which is number {@code from} of a tensor. */
    interface Target {
        void put(long from, float[] values, int count);
    }
}
