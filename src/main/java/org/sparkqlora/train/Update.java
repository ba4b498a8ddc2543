package org.sparkqlora.train;

import java.io.Serializable;
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
    /** Moves {@code state} on by this update once its numbers are in this process, as {@link StateLog#advance} does. */
    public void advance(TrainState state, VectorPool pool, Runnable beforeChange) {
        gradient.lend(pool, here -> {
            beforeChange.run();
            state.apply(new Update(fromVersion, new SummedVector(here, gradient.squares()), scale, learningRate));
        });
    }
}
