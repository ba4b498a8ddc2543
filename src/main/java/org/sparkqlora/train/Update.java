package org.sparkqlora.train;

import java.io.Serializable;
import java.util.function.Consumer;
import org.sparkqlora.tensor.VectorPool;

/**
 * The update that moves a State from one version to the next.
 *
 * @param fromVersion the version it applies to
 * @param gradient of the batch
 * @param scale factor on it: the clip factor over the number of trained tokens
 * @param learningRate rate of this step
 */
public record Update(long fromVersion, SummedGradient gradient, float scale, double learningRate)
        implements Serializable {
    /** Lets {@code reader} have this update with its numbers in this process, as {@link SummedGradient#lend} does. */
    void lend(VectorPool pool, Consumer<Update> reader) {
        gradient.lend(
                pool,
                here -> reader.accept(
                        new Update(fromVersion, new SummedVector(here, gradient.squares()), scale, learningRate)));
    }
}
