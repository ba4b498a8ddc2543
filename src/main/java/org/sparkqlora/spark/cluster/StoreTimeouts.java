package org.sparkqlora.spark.cluster;

import java.util.Map;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;

/**
 * Default timeouts of an object store: with Hadoop's own, repeated on several levels, an object store that
 * stalls in the middle of a file keeps a command for hours.
 */
public final class StoreTimeouts {
    private static final String DEFAULTS = "-default.xml";
    private static final Map<String, String> LIMITS = Map.of(
            "fs.s3a.connection.timeout", "60000", // milliseconds of silence
            "fs.s3a.attempts.maximum", "4",
            "fs.s3a.retry.limit", "4");

    private StoreTimeouts() {}

    public static void apply(Configuration configuration) {
        LIMITS.forEach((key, limit) -> {
            if (isDefault(configuration, key)) {
                configuration.set(key, limit);
            }
        });
    }

    private static boolean isDefault(Configuration configuration, String key) {
        String[] sources = configuration.getPropertySources(key);
        return sources == null || Stream.of(sources).allMatch(source -> source.endsWith(DEFAULTS));
    }
}
