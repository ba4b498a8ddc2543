package org.sparkqlora.weights.gguf;

import org.sparkqlora.quant.FloatSource;

/** Numbers with {@code shift} added to each. */
record ShiftedFloats(FloatSource source, float shift) implements FloatSource {
    @Override
    public long length() {
        return source.length();
    }

    @Override
    public void read(long from, float[] target, int count) {
        source.read(from, target, count);
        for (int i = 0; i < count; i++) {
            target[i] += shift;
        }
    }
}
