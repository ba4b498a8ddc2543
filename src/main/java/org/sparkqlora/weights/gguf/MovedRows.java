package org.sparkqlora.weights.gguf;

import java.util.function.LongUnaryOperator;
import org.sparkqlora.quant.FloatSource;

/**
 * Numbers with rows of {@code width} in another order.
 *
 * @param source the numbers in the order that they have now
 * @param origin the row of the source that each row is
 */
record MovedRows(FloatSource source, int width, LongUnaryOperator origin) implements FloatSource {
    @Override
    public long length() {
        return source.length();
    }

    @Override
    public void read(long from, float[] target, int count) {
        float[] row = new float[width];
        for (int done = 0; done < count; ) {
            long at = from + done;
            source.read(origin.applyAsLong(at / width) * width, row, width);
            int skip = (int) (at % width);
            int taken = Math.min(width - skip, count - done);
            System.arraycopy(row, skip, target, done, taken);
            done += taken;
        }
    }
}
