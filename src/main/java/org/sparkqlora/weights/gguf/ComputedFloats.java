package org.sparkqlora.weights.gguf;

import java.util.function.DoubleUnaryOperator;
import org.sparkqlora.quant.FloatSource;

/** A function of each number. */
record ComputedFloats(FloatSource source, DoubleUnaryOperator function) implements FloatSource {
    @Override
    public long length() {
        return source.length();
    }

    @Override
    public void read(long from, float[] target, int count) {
        source.read(from, target, count);
        for (int i = 0; i < count; i++) {
            target[i] = (float) function.applyAsDouble(target[i]);
        }
    }
}
