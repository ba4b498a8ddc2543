package org.sparkqlora.quant;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.ShortBuffer;
import java.util.Random;
import org.jspecify.annotations.NullMarked;

/** Inputs and shortcuts that several tests of this package share. */
@NullMarked
final class QuantTesting {
    private QuantTesting() {}

    static float[] normal(long seed, int count) {
        Random random = new Random(seed);
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian();
        }

        return values;
    }

    static FourBitTensor quantize(QuantSpec spec, float... values) {
        try (Workers workers = new Workers(1)) {
            return new FourBitQuantizer(spec, workers).quantize(FloatSource.of(values));
        }
    }

    static byte[] packed(FourBitTensor tensor) {
        byte[] bytes = new byte[tensor.packed().remaining()];
        tensor.packed().get(bytes);
        return bytes;
    }

    static float[] scales(FourBitTensor tensor) {
        float[] scales = new float[tensor.scales().count()];
        tensor.scales().read(0, scales.length, scales);
        return scales;
    }

    static float[] floats(FourBitTensor tensor) {
        try (Workers workers = new Workers(1)) {
            return floats(new FourBitDequantizer(workers), tensor);
        }
    }

    static float[] floats(FourBitDequantizer dequantizer, FourBitTensor tensor) {
        FloatBuffer buffer = direct(tensor.elements() * Float.BYTES).asFloatBuffer();
        dequantizer.toFloat(tensor, buffer);
        float[] values = new float[buffer.remaining()];
        buffer.get(values);
        return values;
    }

    static short[] bfloat16s(FourBitDequantizer dequantizer, FourBitTensor tensor) {
        ShortBuffer buffer = direct(tensor.elements() * Short.BYTES).asShortBuffer();
        dequantizer.toBfloat16(tensor, buffer);
        short[] values = new short[buffer.remaining()];
        buffer.get(values);
        return values;
    }

    static ByteBuffer direct(long bytes) {
        return ByteBuffer.allocateDirect(Math.toIntExact(bytes)).order(ByteOrder.nativeOrder());
    }
}
