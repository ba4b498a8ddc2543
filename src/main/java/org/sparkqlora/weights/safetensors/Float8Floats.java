package org.sparkqlora.weights.safetensors;

import java.nio.ByteBuffer;
import java.util.Objects;
import org.sparkqlora.quant.Bfloat16;
import org.sparkqlora.quant.FloatSource;

/**
 * Reads a matrix of {@link StoredLayout.Float8} as float32. Safe for concurrent reads.
 *
 * @param scales of all blocks, rows of blocks first
 */
record Float8Floats(int columns, int blockRows, int blockColumns, ByteBuffer codes, float[] scales)
        implements FloatSource {
    private static final float[] VALUES = values();

    static Float8Floats of(StoredTensor tensor, StoredLayout.Float8 layout) {
        long extent = layout.scalesExtent(tensor.spec());
        float[] scales = new float[Math.toIntExact(extent / layout.scaleType().bytes())];
        StoredNumbers.widen(layout.scaleType(), tensor.mappedScales(layout), 0, scales, 0, scales.length);
        return new Float8Floats(
                Math.toIntExact(tensor.shape()[1]), layout.blockRows(), layout.blockColumns(), tensor.mapped(), scales);
    }

    @Override
    public long length() {
        return codes.capacity();
    }

    @Override
    public void read(long from, float[] target, int count) {
        Objects.checkFromIndexSize(from, count, length());
        int done = 0;
        while (done < count) {
            int at = Math.toIntExact(from + done);
            int row = at / columns;
            int column = at % columns;
            int numbers = Math.min(count - done, blockColumns - column % blockColumns);
            float scale = scales[row / blockRows * (columns / blockColumns) + column / blockColumns];
            for (int i = 0; i < numbers; i++) {
                target[done + i] = Bfloat16.widen(Bfloat16.round(VALUES[codes.get(at + i) & 0xFF] * scale));
            }

            done += numbers;
        }
    }

    /** E4M3 of the OCP 8-bit Floating Point Specification 1.0: sign, four bits of exponent, three of fraction; no infinity, one NaN. */
    private static float[] values() {
        float[] values = new float[256];
        for (int code = 0; code < values.length; code++) {
            int exponent = code >> 3 & 0xF;
            int fraction = code & 7;
            float size = exponent == 0 ? Math.scalb(fraction, -9) : Math.scalb(8 + fraction, exponent - 10);
            float value = (code & 0x7F) == 0x7F ? Float.NaN : size;
            values[code] = code < 128 ? value : -value;
        }

        return values;
    }
}
