package org.sparkqlora.run.bench;

import org.sparkqlora.options.ClusterOptions;
import org.sparkqlora.options.Console;
import org.sparkqlora.spark.speed.ClusterSpeed;
import org.sparkqlora.spark.speed.SpeedJobs;

/** The speed of the cluster of a session. Driver only. */
public record ClusterBench(ClusterOptions cluster, Console console) {
    public ClusterSpeed run() {
        return new SpeedJobs(cluster.context("bench", console)).measure();
    }
}
