package org.sparkqlora.spark.cluster;

import java.util.Locale;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.util.SerializableConfiguration;

/**
 * Jobs with one description in Spark's pages, whose tasks read or write files of Hadoop's file systems. Driver only.
 *
 * @param hadoop the configuration, for tasks
 */
public record HadoopJobs(JavaSparkContext context, Broadcast<SerializableConfiguration> hadoop)
        implements AutoCloseable {
    /** Begins them; to be closed when they have ended. */
    public static HadoopJobs begin(JavaSparkContext context, String description, Object... values) {
        Broadcast<SerializableConfiguration> hadoop =
                context.broadcast(new SerializableConfiguration(context.hadoopConfiguration()));
        context.setJobDescription(String.format(Locale.ROOT, description, values));
        return new HadoopJobs(context, hadoop);
    }

    @Override
    public void close() {
        context.setJobDescription(null);
        Broadcasts.destroy(hadoop);
    }
}
