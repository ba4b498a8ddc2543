package org.sparkqlora.train;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Little-endian bytes of float32 values, piece by piece. */
final class FloatBytes {
    private FloatBytes() {}

    static void encode(float[] values, byte[] target, int count) {
        ByteBuffer.wrap(target).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().put(values, 0, count);
    }

    static void decode(byte[] source, float[] target, int count) {
        ByteBuffer.wrap(source).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(target, 0, count);
    }
}
