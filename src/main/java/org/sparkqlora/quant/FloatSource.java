package org.sparkqlora.quant;

/** A readable sequence of float32 values that need not be in memory. Safe for concurrent reads. */
public interface FloatSource {
    long length();

    /** Copies the {@code count} values from {@code from} on to the start of {@code target}. */
    void read(long from, float[] target, int count);

    /** The values of {@code values}, which must not change while they are read. */
    static FloatSource of(float... values) {
        return new FloatSource() {
            @Override
            public long length() {
                return values.length;
            }

            @Override
            public void read(long from, float[] target, int count) {
                System.arraycopy(values, Math.toIntExact(from), target, 0, count);
            }
        };
    }
}
