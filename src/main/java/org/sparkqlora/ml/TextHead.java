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

/** The head of an adapter that scores texts, opened once for each application and settings. Driver only. */
final class TextHead {
    private final StageParams params;
    private final String adapter;
    private @Nullable Opened opened;

    /** What was opened, where and with which settings. */
    private record Opened(SparkContext context, String settings, TextScores scores) {}

    TextHead(StageParams params, String adapter) {
        this.params = params;
        this.adapter = adapter;
    }

    /** The adapter's folder. */
    String adapter() {
        return adapter;
    }

    /** The scores that tasks of the application compute. */
    synchronized TextScores open(SparkSession session) {
        SparkContext context = session.sparkContext();
        Map<String, Object> settings = params.values(Settings.USE, Set.of());
        String text = Settings.USE.text(settings);
        Opened known = opened;
        if (known == null
                || !known.context().equals(context)
                || !known.settings().equals(text)) {
            UseOptions options = UseOptions.of(settings, Location.parse(adapter));
            ModelColumns columns = ModelColumns.open(options, JavaSparkContext.fromSparkContext(context));
            known = new Opened(context, text, columns.scores());
            opened = known;
        }

        return known.scores();
    }
}
