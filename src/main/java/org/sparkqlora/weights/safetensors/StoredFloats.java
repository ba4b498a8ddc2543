package org.sparkqlora.weights.safetensors;

import java.nio.ByteBuffer;
import java.util.Objects;
import org.sparkqlora.quant.FloatSource;

/** Reads a stored tensor as float32 through mapped segments. Safe for concurrent reads. */
final class StoredFloats implements FloatSource {
    private static final int SEGMENT_BITS = 27;
    private static final int SEGMENT = 1 << SEGMENT_BITS;

    private final long length;
    private final StoredType type;
    private final ByteBuffer[] segments;

    private StoredFloats(long length, StoredType type, ByteBuffer[] segments) {
        this.length = length;
        this.type = type;
        this.segments = segments;
    }

    static StoredFloats of(StoredTensor tensor) {
        if (!tensor.type().isFloat()) {
            throw new InvalidWeightsException(
                    "Cannot read tensor %s of %s as floats: expected F64, F32, F16 or BF16, found %s"
                            .formatted(tensor.name(), tensor.file(), tensor.type()));
        }

        int bytes = tensor.type().bytes();
        long elements = tensor.elements();
        ByteBuffer[] segments = new ByteBuffer[Math.toIntExact((elements + SEGMENT - 1) >>> SEGMENT_BITS)];
        for (int s = 0; s < segments.length; s++) {
            long from = (long) s << SEGMENT_BITS;
            int count = (int) Math.min(SEGMENT, elements - from);
            segments[s] = tensor.buffer(from * bytes, count * bytes);
        }

        return new StoredFloats(elements, tensor.type(), segments);
    }

    @Override
    public long length() {
        return length;
    }

    @Override
    public void read(long from, float[] target, int count) {
        Objects.checkFromIndexSize(from, count, length);
        int done = 0;
        while (done < count) {
            long at = from + done;
            int offset = (int) (at & (SEGMENT - 1));
            int n = Math.min(count - done, SEGMENT - offset);
            StoredNumbers.widen(type, segments[(int) (at >>> SEGMENT_BITS)], offset, target, done, n);
            done += n;
        }
    }
}
