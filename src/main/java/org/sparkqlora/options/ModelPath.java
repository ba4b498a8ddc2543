package org.sparkqlora.options;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.checkpoint.hub.HubAccess;
import org.sparkqlora.checkpoint.hub.HubId;
import org.sparkqlora.checkpoint.hub.ModelPlace;
import org.sparkqlora.spark.cluster.CurrentSession;
import org.sparkqlora.spark.cluster.Location;
import org.sparkqlora.spark.prepare.TokenizerPlace;
import org.sparkqlora.storage.ModelCache;
import org.sparkqlora.weights.family.ModelConfig;
import org.sparkqlora.weights.family.ModelConfigJson;
import org.sparkqlora.weights.gguf.GgufFolder;

/** A model as a command line names it: a folder, or a .gguf file, on this host or on any Hadoop file system. */
public final class ModelPath {
    private static final String DEFAULTS = "-default.xml";

    private ModelPath() {}

    /** A missing required option is the parser's to report; on another file system nothing is looked for. */
    public static void check(Problems problems, String option, @Nullable Location model) {
        if (model == null || !model.isLocal()) {
            return;
        }

        Path local = model.local();
        problems.require(
                Files.isDirectory(local) || GgufFolder.isGguf(local),
                "%s: Cannot open model %s: expected a folder or a .gguf file, found %s",
                option,
                local,
                Files.exists(local) ? "another file" : "nothing");
    }

    /** The model's folder, under {@code cache} when it must be copied or converted. */
    public static Path folder(Location model, ModelCache cache) {
        return place(model, cache).folder(cache);
    }

    /** The shape of a model, without its weights where they would have to be copied. */
    public static ModelConfig config(Location model, ModelCache cache) {
        if (model.isLocal() || HubId.ofAddress(model.toString()).isPresent()) {
            return ModelConfigJson.read(folder(model, cache).resolve(ModelConfigJson.FILE_NAME));
        }

        Location file = model.resolve(ModelConfigJson.FILE_NAME);
        return file.text()
                .map(text -> ModelConfigJson.parse(file.toString(), text))
                .orElseGet(() -> ModelConfigJson.read(
                        folder(model, cache).resolve(ModelConfigJson.FILE_NAME))); // a .gguf file, or no model
    }

    /** The place of the model as executors open it. */
    public static ModelPlace place(Location model, ModelCache cache) {
        HubId hub = HubId.ofAddress(model.toString()).orElse(null);
        if (hub != null) {
            return ModelPlace.onHub(hub, HubAccess.of(System.getenv()), cache);
        }

        return model.isLocal()
                ? new ModelPlace(model.toString(), Map.of())
                : new ModelPlace(model.toString(), settings(CurrentSession.hadoop()));
    }

    /** The tokenizer of the model as executors open it. */
    public static TokenizerPlace tokenizer(ModelPlace place, ModelCache cache) {
        return new TokenizerPlace(place, cache);
    }

    /** Settings from files or options: an executor need not have those files. */
    private static Map<String, String> settings(Configuration configuration) {
        Map<String, String> settings = new HashMap<>();
        for (Map.Entry<String, String> entry : configuration) {
            String[] sources = configuration.getPropertySources(entry.getKey());
            if (sources == null || Stream.of(sources).anyMatch(source -> !source.endsWith(DEFAULTS))) {
                settings.put(entry.getKey(), entry.getValue());
            }
        }

        return settings;
    }
}
