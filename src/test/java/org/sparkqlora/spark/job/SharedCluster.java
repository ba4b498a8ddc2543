package org.sparkqlora.spark.job;

import java.util.function.Function;
import org.apache.spark.api.java.JavaSparkContext;
import org.jspecify.annotations.Nullable;

/** The cluster of a test class: it stays until a test asks for another master, since a JVM has one Spark context at a time. */
final class SharedCluster implements AutoCloseable {
    private @Nullable JavaSparkContext context;

    <T> T on(String master, Function<JavaSparkContext, T> work) {
        if (context == null || !context.master().equals(master)) {
            close();
            context = Clusters.start(master);
        }

        return work.apply(context);
    }

    @Override
    public void close() {
        if (context != null) {
            context.close();
            context = null;
        }
    }
}
