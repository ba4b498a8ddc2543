package org.sparkqlora.quant;

/** Refuses numbers that would turn whole blocks into NaN. */
final class Finite {
    private Finite() {}

    static float[] require(float[] values, String name) {
        for (int i = 0; i < values.length; i++) {
            if (!Float.isFinite(values[i])) {
                throw new IllegalArgumentException(
                        "Cannot scale by %s[%d]: expected a finite number, found %s".formatted(name, i, values[i]));
            }
        }

        return values;
    }
}
