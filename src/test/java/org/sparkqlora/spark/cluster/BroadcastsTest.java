package org.sparkqlora.spark.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.ref.WeakReference;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.junit.jupiter.api.Test;

final class BroadcastsTest {
    /** Spark's cleaner would remove a broadcast that is garbage while {@code destroy} still removes it. */
    @Test
    void destroyedBroadcastIsNotGarbageAtOnce() {
        SparkConf conf =
                new SparkConf().setMaster("local[1]").setAppName("test").set("spark.ui.enabled", "false");
        try (JavaSparkContext context = new JavaSparkContext(conf)) {
            WeakReference<Broadcast<String>> destroyed = destroyed(context);
            System.gc();

            assertThat(destroyed.get())
                    .isNotNull()
                    .extracting(Broadcast::isValid)
                    .isEqualTo(false);
        }
    }

    private static WeakReference<Broadcast<String>> destroyed(JavaSparkContext context) {
        Broadcast<String> broadcast = context.broadcast("value");
        Broadcasts.destroy(broadcast);
        return new WeakReference<>(broadcast);
    }
}
