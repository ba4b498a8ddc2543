package org.sparkqlora.train;

import java.io.Serializable;
import java.util.Optional;

/** Opens the base model in whatever process needs it. A value that crosses to executors. */
public interface ModelSource extends Serializable {
    /** Equal for sources that open the same model. */
    String key();

    /** Why this process could not open the model, found out in no time; nothing when it seems that it can. */
    Optional<String> problem();

    /** Loads the model; a call of it computes with {@code threads} threads. */
    GradientModel open(int threads);
}
