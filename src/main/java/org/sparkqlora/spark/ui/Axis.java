package org.sparkqlora.spark.ui;

import java.util.ArrayList;
import java.util.List;

/**
 * A range of numbers and the round ones in it, a step of 1, 2 or 5 times a power of ten apart.
 *
 * @param low where it begins
 * @param high where it ends, above {@code low}
 * @param ticks ascending
 */
record Axis(double low, double high, List<Double> ticks) {
    private static final double[] ROUND = {1, 2, 5, 10};

    Axis {
        ticks = List.copyOf(ticks);
    }

    /** Reaches from {@code least} to {@code most} at least, with about {@code count} ticks, from the first to the last. */
    static Axis around(double least, double most, int count) {
        double room = least == most ? Math.max(Math.abs(least) * 0.1, 1e-12) : 0;
        double step = roundStep((most - least + 2 * room) / count);
        double low = Math.floor((least - room) / step + 1e-9) * step;
        double high = Math.ceil((most + room) / step - 1e-9) * step;
        return new Axis(low, high, ticks(low, high, step));
    }

    /** Between whole numbers, which are its ends. */
    static Axis ofSteps(long first, long last, int count) {
        double step = Math.max(1, roundStep((double) Math.max(1, last - first) / count));
        double begin = Math.ceil(first / step) * step;
        return new Axis(first, Math.max(last, first + 1), ticks(begin, last, step));
    }

    /** The position of a value along the axis, from 0 to 1. */
    double share(double value) {
        return (value - low) / (high - low);
    }

    private static double roundStep(double rough) {
        double power = Math.pow(10, Math.floor(Math.log10(rough)));
        for (double round : ROUND) {
            if (rough <= round * power * (1 + 1e-9)) {
                return round * power;
            }
        }

        return 10 * power;
    }

    private static List<Double> ticks(double low, double high, double step) {
        List<Double> ticks = new ArrayList<>();
        for (int i = 0; low + i * step <= high + step * 1e-6; i++) {
            ticks.add(low + i * step);
        }

        return ticks;
    }
}
