package org.sparkqlora.ml;

import java.io.Serializable;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.spark.SparkContext;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.ml.param.Params;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.options.Settings;
import org.sparkqlora.options.UseOptions;
import org.sparkqlora.options.UsedAdapters;
import org.sparkqlora.spark.cluster.Location;

/** A model's state beside its params: its adapter, the summary of the fit that made it, and the functions that are opened for it. */
final class FittedAdapter implements Serializable {
    private static final long serialVersionUID = 1L;

    private final @Nullable String folder;
    private final OpenedModel opened;
    private transient @Nullable QLoraTrainingSummary summary;
    private transient @Nullable String description;

    /** @param folder in PEFT layout; null where the model is whole without an adapter */
    FittedAdapter(@Nullable String folder) {
        this(folder, new OpenedModel());
    }

    private FittedAdapter(@Nullable String folder, OpenedModel opened) {
        this.folder = folder;
        this.opened = opened;
    }

    /** That of a copy of the model: what is opened for either is opened for both. */
    FittedAdapter copy() {
        FittedAdapter copy = new FittedAdapter(folder, opened);
        copy.summary = summary;
        return copy;
    }

    Optional<String> folder() {
        return Optional.ofNullable(folder);
    }

    Optional<QLoraTrainingSummary> summary() {
        return Optional.ofNullable(summary);
    }

    /** @throws IllegalStateException if no fit of this session made the model */
    QLoraTrainingSummary summaryOf(Params model) {
        return summary()
                .orElseThrow(() -> new IllegalStateException(
                        "Cannot tell of the training of %s: it was not trained here".formatted(model.uid())));
    }

    void setSummary(QLoraTrainingSummary of) {
        summary = of;
    }

    /** Takes the description that the model had before a server of Spark Connect put it aside. */
    void setDescription(String json) {
        description = json;
    }

    /** The model in JSON: its text is all that a server of Spark Connect lets a client ask of a model that is not Spark's own. */
    String describe(Params model) {
        return description == null ? ModelJson.write(model, folder, summary) : description;
    }

    /** @throws IllegalArgumentException that names all that is wrong with the params */
    UseOptions options(StageParams params) {
        return UseOptions.of(settings(params), used(params));
    }

    /** The functions of columns under {@code params}. */
    ModelColumns columns(StageParams params, SparkContext context) {
        String settings = "%s\n%s"
                .formatted(Settings.USE.text(settings(params)), used(params).folders());
        return opened.columns(context, settings, options(params));
    }

    /** The number of times that processes loaded the base for this model and its copies, as far as tasks have reported. */
    long loads() {
        return opened.loads();
    }

    private UsedAdapters used(StageParams params) {
        return AdapterColumn.used(params, folder().map(Location::parse).orElse(null));
    }

    private static Map<String, Object> settings(StageParams params) {
        return params.values(Settings.USE, Set.of());
    }

    /**
     * The functions of columns that a model and its copies share, so that each process loads the base once: a server of Spark Connect transforms
     * with a copy of the model each time that a table is looked at. Kept for the settings that were asked for last. Driver only.
     */
    private static final class OpenedModel implements Serializable {
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
}
