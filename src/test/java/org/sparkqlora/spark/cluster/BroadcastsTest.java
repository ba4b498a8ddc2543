package org.sparkqlora.spark.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.ref.WeakReference;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.junit.jupiter.api.Test;
import org.sparkqlora.spark.job.Clusters;

final class BroadcastsTest {
    /** Spark's cleaner would remove a broadcast that is garbage while {@code destroy} still removes it. */
    @Test
    void destroyedBroadcastIsNotGarbageAtOnce() {
        Boolean isValid = Clusters.on(Clusters.ONE_SLOT, context -> {
            WeakReference<Broadcast<String>> destroyed = destroyed(context);
            System.gc();

            Broadcast<String> found = destroyed.get();
            return found == null ? null : found.isValid();
        });

        assertThat(isValid).isFalse();
    }

    private static WeakReference<Broadcast<String>> destroyed(JavaSparkContext context) {
        Broadcast<String> broadcast = context.broadcast("value");
        Broadcasts.destroy(broadcast);
        return new WeakReference<>(broadcast);
    }
}
