package org.sparkqlora.command.bench;

import java.util.Arrays;
import org.sparkqlora.input.BadInputException;

/**
 * Times work several times over, after a warm-up of one run at least, in which Java compiles it and what was before it.
 *
 * @param count timed runs
 * @param warmUpSeconds after which no run of the warm-up begins
 */
record Repetitions(int count, double warmUpSeconds) {
    private static final double NANOS = 1e9;

    Repetitions {
        if (count < 1) {
            throw new BadInputException("Cannot measure %d times: expected at least 1".formatted(count));
        }
    }

    /** Seconds of one run, the median of all. */
    double medianSeconds(Runnable work) {
        long begin = System.nanoTime();
        do {
            work.run();
        } while ((System.nanoTime() - begin) / NANOS < warmUpSeconds);

        double[] seconds = new double[count];
        for (int i = 0; i < count; i++) {
            long start = System.nanoTime();
            work.run();
            seconds[i] = (System.nanoTime() - start) / NANOS;
        }

        return median(seconds);
    }

    static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
