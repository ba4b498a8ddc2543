package org.sparkqlora.train;

import java.io.Serializable;

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
    /** This update with its numbers in this process. */
    public Update pulled() {
        SummedVector here = new SummedVector(gradient.vector(), gradient.squares());
        return new Update(fromVersion, here, scale, learningRate);
    }
}
