package org.sparkqlora.spark.mlflow;

import java.time.Duration;

/**
 * The time limits of requests to a tracking server.
 *
 * @param answer to a request, its body included; also the longest time in which it takes no byte of an upload
 * @param ending of a run as a whole: what waits, its files and its end
 */
record MlflowPatience(Duration answer, Duration ending) {
    static final MlflowPatience DEFAULT = new MlflowPatience(Duration.ofSeconds(30), Duration.ofMinutes(30));
}
