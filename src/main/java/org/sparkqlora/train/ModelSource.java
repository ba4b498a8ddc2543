package org.sparkqlora.train;

import java.io.Serializable;
import java.util.List;
import java.util.Optional;

/** Opens the base model in any process. Serialised to executors. */
public interface ModelSource extends Serializable {
    /** Equal for sources that open the same model. */
    String key();

    /** The reason why this process could not open the model, found quickly; empty if none is found. */
    Optional<String> problem();

    /**
     * As {@link #problem()}, in a task that Spark gave GPUs to.
     *
     * @param gpus their addresses; empty for none
     */
    default Optional<String> problem(List<String> gpus) {
        return problem();
    }

    /** Loads the model; a call of it computes with {@code threads} threads. */
    GradientModel open(int threads);

    /**
     * As {@link #open(int)}, in a task that Spark gave GPUs to: whether it computes on one is the source's to say.
     *
     * @param gpus their addresses; empty for none
     */
    default GradientModel open(int threads, List<String> gpus) {
        return open(threads);
    }
}
