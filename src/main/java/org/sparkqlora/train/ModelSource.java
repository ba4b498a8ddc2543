package org.sparkqlora.train;

import java.io.Serializable;
import java.util.List;
import java.util.Optional;

/** Opens the base model in any process. Serialised to executors. */
public interface ModelSource extends Serializable {
    /** Equal for sources that open the same model. */
    String key();

    /**
     * The reason why a task could not open the model, found quickly; empty if none is found.
     *
     * @param gpus addresses of those that Spark gave to the task
     */
    Optional<String> problem(List<String> gpus);

    /** Loads the model on the processor; a call of it computes with {@code threads} threads. */
    GradientModel open(int threads);

    /**
     * Loads the model in a task: whether it computes on a GPU is the source's to say, and one may take a GPU that Spark did not give.
     *
     * @param gpus addresses of those that Spark gave to the task
     */
    default GradientModel open(int threads, List<String> gpus) {
        return open(threads);
    }
}
