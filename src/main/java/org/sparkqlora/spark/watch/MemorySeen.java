package org.sparkqlora.spark.watch;

/**
 * The memory of a computing process was measured.
 *
 * @param worker the process and its host, as a person knows them
 * @param residentBytes now
 * @param peakBytes the most it ever held
 */
public record MemorySeen(String run, long timeMillis, String worker, long residentBytes, long peakBytes)
        implements RunEvent {
    /** In a long run executors come and go: one that computed nothing for so long is no worker any more. */
    static final long LASTING_MILLIS = 600_000;

    boolean isPast(long nowMillis) {
        return nowMillis - timeMillis > LASTING_MILLIS;
    }
}
