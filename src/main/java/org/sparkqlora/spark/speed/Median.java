package org.sparkqlora.spark.speed;

import java.util.stream.DoubleStream;

/** The median: other work on a machine disturbs a few of many measurements. */
final class Median {
    private Median() {}

    static double of(DoubleStream values) {
        double[] sorted = values.sorted().toArray();
        if (sorted.length == 0) {
            throw new IllegalStateException("Cannot measure a cluster: no task told its time");
        }

        return sorted[sorted.length / 2];
    }
}
