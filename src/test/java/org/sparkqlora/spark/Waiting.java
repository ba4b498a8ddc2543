package org.sparkqlora.spark;

import java.time.Duration;
import java.util.function.BooleanSupplier;

/** Waits for other processes, but not for ever. */
final class Waiting {
    private static final Duration MOST = Duration.ofSeconds(60);
    private static final long PAUSE_MILLIS = 5;

    private Waiting() {}

    /** Returns as soon as {@code condition} holds. */
    static void until(String what, BooleanSupplier condition) {
        long begin = System.nanoTime();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - begin > MOST.toNanos()) {
                throw new IllegalStateException("Waited in vain for " + what);
            }

            pause();
        }
    }

    private static void pause() {
        try {
            Thread.sleep(PAUSE_MILLIS);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
