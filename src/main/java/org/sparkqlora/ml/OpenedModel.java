package org.sparkqlora.ml;

import java.io.Serializable;
import org.apache.spark.SparkContext;
import org.apache.spark.api.java.JavaSparkContext;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.options.UseOptions;

/**
 * The functions of columns that a model and its copies share, so that each process loads the base once: a server of Spark Connect transforms
 * with a copy of the model each time that a table is looked at. Kept for the settings that were asked for last. Driver only.
 */
final class OpenedModel implements Serializable {
    private static final long serialVersionUID = 1L;

    private transient @Nullable Opened newest;

    /** The functions under these settings. */
    private record Opened(SparkContext context, String settings, ModelColumns columns) {}

    /** The functions under {@code options}, which are those that {@code settings} says in full. */
    synchronized ModelColumns columns(SparkContext context, String settings, UseOptions options) {
        Opened known = newest;
        if (known == null
                || !known.context().equals(context)
                || !known.settings().equals(settings)) {
            known = new Opened(
                    context, settings, ModelColumns.open(options, JavaSparkContext.fromSparkContext(context)));
            newest = known;
        }

        return known.columns();
    }

    /** The number of times that processes loaded the base, as far as tasks have reported. */
    synchronized long loads() {
        return newest == null ? 0 : newest.columns().loads();
    }
}
