package org.sparkqlora.weights;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Objects;
import org.sparkqlora.quant.FloatSource;

/** Reads a stored tensor as float32 through mapped segments. Safe for concurrent reads. */
final class StoredFloats implements FloatSource {
    private static final int SEGMENT_BITS = 27;
    private static final int SEGMENT = 1 << SEGMENT_BITS;

    private final long length;
    private final Widening widening;
    private final ByteBuffer[] segments;

    private StoredFloats(long length, Widening widening, ByteBuffer[] segments) {
        this.length = length;
        this.widening = widening;
        this.segments = segments;
    }

    static StoredFloats of(StoredTensor tensor) {
        Widening widening = widening(tensor);
        int bytes = tensor.type().bytes();
        long elements = tensor.elements();
        ByteBuffer[] segments = new ByteBuffer[Math.toIntExact((elements + SEGMENT - 1) >>> SEGMENT_BITS)];
        for (int s = 0; s < segments.length; s++) {
            long from = (long) s << SEGMENT_BITS;
            int count = (int) Math.min(SEGMENT, elements - from);
            segments[s] = tensor.buffer(from * bytes, count * bytes);
        }

        return new StoredFloats(elements, widening, segments);
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
            // a duplicate forgets its byte order
            ByteBuffer segment =
                    segments[(int) (at >>> SEGMENT_BITS)].duplicate().order(ByteOrder.LITTLE_ENDIAN);
            widening.read(segment, offset, target, done, n);
            done += n;
        }
    }

    private static Widening widening(StoredTensor tensor) {
        return switch (tensor.type()) {
            case F32 ->
                (bytes, from, target, at, count) ->
                        bytes.asFloatBuffer().position(from).get(target, at, count);
            case BF16 ->
                (bytes, from, target, at, count) -> {
                    for (int i = 0; i < count; i++) {
                        target[at + i] = Float.intBitsToFloat(bytes.getShort((from + i) * 2) << 16);
                    }
                };
            case F16 ->
                (bytes, from, target, at, count) -> {
                    for (int i = 0; i < count; i++) {
                        target[at + i] = HalfFloat.toFloat(bytes.getShort((from + i) * 2));
                    }
                };
            case F64 ->
                (bytes, from, target, at, count) -> {
                    for (int i = 0; i < count; i++) {
                        target[at + i] = (float) bytes.getDouble((from + i) * 8);
                    }
                };
            case BOOL, U8, I8, F8_E5M2, F8_E4M3, I16, U16, I32, U32, I64, U64 ->
                throw new InvalidWeightsException(
                        "Cannot read tensor %s of %s as floats: expected F64, F32, F16 or BF16, found %s"
                                .formatted(tensor.name(), tensor.file(), tensor.type()));
        };
    }

    /** Widens {@code count} elements from element {@code from} of {@code bytes} on to {@code target[at..]}. */
    private interface Widening {
        void read(ByteBuffer bytes, int from, float[] target, int at, int count);
    }
}
