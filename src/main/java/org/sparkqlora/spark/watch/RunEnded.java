package org.sparkqlora.spark.watch;

import org.jspecify.annotations.Nullable;

/**
 * The run is over.
 *
 * @param failure message of the exception that ended it; null for a finished run
 */
public record RunEnded(
        String run, long timeMillis, @Nullable String failure) implements RunEvent {}
