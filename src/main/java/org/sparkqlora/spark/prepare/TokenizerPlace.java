package org.sparkqlora.spark.prepare;

import java.io.Serializable;
import java.nio.file.Path;
import org.sparkqlora.checkpoint.hub.ModelPlace;
import org.sparkqlora.storage.ModelCache;

/**
 * The place of a model's tokenizer on each executor.
 *
 * @param model which a host copies if it is elsewhere
 * @param cache for copies, on each host
 */
public record TokenizerPlace(ModelPlace model, ModelCache cache) implements Serializable {
    /** The model's folder on this host. */
    public Path folder() {
        return model.folder(cache);
    }
}
