package org.sparkqlora.spark.watch;

import org.jspecify.annotations.Nullable;

/**
 * The run is over.
 *
 * @param failure what ended it before its last step; null for a whole run
 */
public record RunEnded(
        String run, long timeMillis, @Nullable String failure) implements RunEvent {}
