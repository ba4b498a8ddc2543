package org.sparkqlora.quant;

import org.sparkqlora.input.BadInputException;

/** Refuses numbers that would turn whole blocks into NaN. */
final class Finite {
    private Finite() {}

    static float[] require(float[] values, String name) {
        for (int i = 0; i < values.length; i++) {
            if (!Float.isFinite(values[i])) {
                throw new BadInputException(
                        "Cannot scale by %s[%d]: expected a finite number, found %s".formatted(name, i, values[i]));
            }
        }

        return values;
    }
}
