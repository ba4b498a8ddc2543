package org.sparkqlora.spark.watch;

/**
 * Something went wrong, or slowly, and the run goes on.
 *
 * @param step the last one that was done then
 * @param text for people
 */
public record FaultSeen(String run, long timeMillis, long step, String text) implements RunEvent {}
