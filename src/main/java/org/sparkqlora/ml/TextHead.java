package org.sparkqlora.ml;

import java.util.Map;
import java.util.Set;
import org.apache.spark.SparkContext;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.options.Settings;
import org.sparkqlora.options.UseOptions;
import org.sparkqlora.run.ModelColumns;
import org.sparkqlora.spark.cluster.Location;
import org.sparkqlora.spark.job.TextScores;

/** The head of an adapter that scores texts, opened once for each application and settings, also for copies. Driver only. */
final class TextHead {
    private final StageParams params;
    private final String adapter;
    private final Shared shared;

    /** What was opened last, by this head or a copy. */
    private static final class Shared {
        private @Nullable Opened newest;
    }

    /** What was opened, where and with which settings. */
    private record Opened(SparkContext context, String settings, TextScores scores) {}

    TextHead(StageParams params, String adapter) {
        this(params, adapter, new Shared());
    }

    private TextHead(StageParams params, String adapter, Shared shared) {
        this.params = params;
        this.adapter = adapter;
        this.shared = shared;
    }

    /** The head of a copy, which has params of its own: what either opens is opened for both. */
    TextHead copy(StageParams params) {
        return new TextHead(params, adapter, shared);
    }

    /** The adapter's folder. */
    String adapter() {
        return adapter;
    }

    /** The scores that tasks of the application compute. */
    TextScores open(SparkSession session) {
        synchronized (shared) {
            return opened(session);
        }
    }

    private TextScores opened(SparkSession session) {
        SparkContext context = session.sparkContext();
        Map<String, Object> settings = params.values(Settings.USE, Set.of());
        String text = Settings.USE.text(settings);
        Opened known = shared.newest;
        if (known == null
                || !known.context().equals(context)
                || !known.settings().equals(text)) {
            UseOptions options = UseOptions.of(settings, Location.parse(adapter));
            ModelColumns columns = ModelColumns.open(options, JavaSparkContext.fromSparkContext(context));
            known = new Opened(context, text, columns.scores());
            shared.newest = known;
        }

        return known.scores();
    }
}
