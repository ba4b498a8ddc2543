package org.sparkqlora.spark.job;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
import org.sparkqlora.train.metrics.ProgressReporter;
import org.sparkqlora.train.metrics.StepMetrics;

/** Seconds from the end of a step to the end of the next one. */
public class StepTimes implements ProgressReporter {
    private static final double NANOS = 1e9;

    private final List<Double> seconds = new ArrayList<>();
    private long last;

    @Override
    public void started(long doneSteps, long allSteps) {
        last = System.nanoTime();
    }

    @Override
    public void stepDone(StepMetrics step) {
        seconds.add(sinceLast());
        last = System.nanoTime();
    }

    double sinceLast() {
        return (System.nanoTime() - last) / NANOS;
    }

    /** Those of the chosen steps, counted from 0, the shortest first. */
    public double[] of(IntPredicate steps) {
        double[] chosen = IntStream.range(0, seconds.size())
                .filter(steps)
                .mapToDouble(seconds::get)
                .toArray();
        Arrays.sort(chosen);
        return chosen;
    }
}
