package org.sparkqlora.spark.cluster;

import java.lang.ref.Reference;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.spark.broadcast.Broadcast;

/** Ends of broadcasts. Driver only. */
public final class Broadcasts {
    /** Until Spark has removed the blocks of a broadcast, which it does behind the caller's back. */
    private static final int SECONDS_OF_REMOVAL = 10;

    private Broadcasts() {}

    /**
     * Removes {@code broadcast} wherever it is. Spark removes a second time what the garbage collector has found, and its block manager
     * fails where both removals meet, with an error in the log: so the broadcast can be reached until the first one is over.
     */
    public static void destroy(Broadcast<?> broadcast) {
        broadcast.destroy();
        CompletableFuture.delayedExecutor(SECONDS_OF_REMOVAL, TimeUnit.SECONDS)
                .execute(() -> Reference.reachabilityFence(broadcast));
    }
}
