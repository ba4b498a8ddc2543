package org.sparkqlora.train;

import java.io.Serializable;

/** Opens the base model in whatever process needs it. A value that crosses to executors. */
public interface ModelSource extends Serializable {
    /** Equal for sources that open the same model. */
    String key();

    /** Loads the model; a call of it computes with {@code threads} threads. */
    GradientModel open(int threads);
}
