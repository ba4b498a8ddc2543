package org.sparkqlora.spark.cluster;

import java.lang.ref.Reference;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.spark.broadcast.Broadcast;

/** Destroys broadcasts. Driver only. */
public final class Broadcasts {
    /** More than Spark takes to remove the blocks of a broadcast, which it does after {@code destroy} has returned. */
    private static final int SECONDS_OF_REMOVAL = 10;

    private Broadcasts() {}

    /**
     * Removes {@code broadcast} from the driver and all executors. Spark removes broadcasts that are garbage, too, and its block manager
     * fails with an error in the log where two removals of one meet: so this one stays reachable until it is removed.
     */
    public static void destroy(Broadcast<?> broadcast) {
        broadcast.destroy();
        CompletableFuture.delayedExecutor(SECONDS_OF_REMOVAL, TimeUnit.SECONDS)
                .execute(() -> Reference.reachabilityFence(broadcast));
    }
}
