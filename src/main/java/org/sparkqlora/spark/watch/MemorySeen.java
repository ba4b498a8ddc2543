package org.sparkqlora.spark.watch;

/**
 * What a process that computes holds in memory.
 *
 * @param worker the process and its host, as a person knows them
 * @param residentBytes now
 * @param peakBytes the most it ever held
 */
public record MemorySeen(String run, long timeMillis, String worker, long residentBytes, long peakBytes)
        implements RunEvent {}
