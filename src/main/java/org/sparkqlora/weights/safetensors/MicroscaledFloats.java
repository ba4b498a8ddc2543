package org.sparkqlora.weights.safetensors;

import java.nio.ByteBuffer;
import java.util.Objects;
import org.sparkqlora.quant.FloatSource;

/** Reads a matrix of {@link StoredLayout.Microscaled} as float32, exactly. Safe for concurrent reads. */
record MicroscaledFloats(int rows, int columns, int rowStep, ByteBuffer codes, ByteBuffer scales)
        implements FloatSource {
    private static final int BLOCK = StoredLayout.Microscaled.BLOCK;

    /** E2M1: sign, two bits of exponent, one of fraction. */
    private static final float[] VALUES = {0, 0.5f, 1, 1.5f, 2, 3, 4, 6, -0f, -0.5f, -1, -1.5f, -2, -3, -4, -6};

    private static final int BIAS = 127;
    private static final int NOT_A_NUMBER = 255;

    static MicroscaledFloats of(StoredTensor tensor, StoredLayout.Microscaled layout) {
        long[] shape = tensor.shape();
        return new MicroscaledFloats(
                Math.toIntExact(shape[0]),
                Math.toIntExact(shape[1]),
                layout.rowStep(),
                tensor.mapped(),
                tensor.mappedScales(layout));
    }

    @Override
    public long length() {
        return (long) rows * columns;
    }

    @Override
    public void read(long from, float[] target, int count) {
        Objects.checkFromIndexSize(from, count, length());
        int done = 0;
        while (done < count) {
            int row = (int) ((from + done) / columns);
            int column = (int) ((from + done) % columns);
            int numbers = Math.min(count - done, BLOCK - column % BLOCK);
            readBlock(row * rowStep * columns + column, target, done, numbers);
            done += numbers;
        }
    }

    /** @param at the place of the first number among all that are stored, those of other matrices between */
    private void readBlock(int at, float[] target, int done, int numbers) {
        float scale = scale(scales.get(at / BLOCK) & 0xFF);
        for (int i = 0; i < numbers; i++) {
            int pair = codes.get((at + i) / 2);
            int code = (at + i) % 2 == 0 ? pair & 0xF : pair >> 4 & 0xF;
            target[done + i] = VALUES[code] * scale;
        }
    }

    private static float scale(int stored) {
        return stored == NOT_A_NUMBER ? Float.NaN : Math.scalb(1f, stored - BIAS);
    }
}
