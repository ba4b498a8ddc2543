package org.sparkqlora.spark.prepare;

import java.io.Serializable;
import java.nio.file.Path;
import java.util.Map;
import org.sparkqlora.checkpoint.hub.ModelPlace;
import org.sparkqlora.storage.ModelCache;

/**
 * The place of a model's tokenizer on each executor.
 *
 * @param model which a host copies if it is elsewhere
 * @param cache for copies, on each host
 */
public record TokenizerPlace(ModelPlace model, ModelCache cache) implements Serializable {
    /** A folder that is at the same path on every host. */
    public static TokenizerPlace at(String folder) {
        return new TokenizerPlace(new ModelPlace(folder, Map.of()), ModelCache.ofUser());
    }

    /** The model's folder on this host. */
    public Path folder() {
        return model.folder(cache);
    }
}
