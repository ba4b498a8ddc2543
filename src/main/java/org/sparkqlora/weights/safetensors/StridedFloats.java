package org.sparkqlora.weights.safetensors;

import java.nio.ByteBuffer;
import java.util.Objects;
import org.sparkqlora.quant.FloatSource;

/** Reads a matrix of {@link StoredLayout.Strided} as float32. Safe for concurrent reads. */
record StridedFloats(StoredType type, int rows, int columns, StoredLayout.Strided layout, ByteBuffer mapped)
        implements FloatSource {
    /** Rows that are read side by side, so that what lies beside a number is not fetched again for the next row. */
    private static final int BAND = 32;

    static StridedFloats of(StoredTensor tensor, StoredLayout.Strided layout) {
        long[] shape = tensor.shape();
        return new StridedFloats(
                tensor.type(), Math.toIntExact(shape[0]), Math.toIntExact(shape[1]), layout, tensor.mapped());
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
            int whole = Math.min(BAND, (count - done) / columns);
            if (column == 0 && whole > 1) {
                readRows(row, whole, target, done);
                done += whole * columns;
            } else {
                int numbers = Math.min(count - done, columns - column);
                StoredNumbers.gather(
                        type, mapped, at(row, column), (int) layout.columnStep(), target, done, numbers, 1);
                done += numbers;
            }
        }
    }

    private void readRows(int first, int band, float[] target, int at) {
        for (int column = 0; column < columns; column++) {
            StoredNumbers.gather(
                    type, mapped, at(first, column), (int) layout.rowStep(), target, at + column, band, columns);
        }
    }

    private int at(int row, int column) {
        return Math.toIntExact(row * layout.rowStep() + column * layout.columnStep());
    }
}
