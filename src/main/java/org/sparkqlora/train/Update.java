package org.sparkqlora.train;

import java.io.Serializable;
import org.sparkqlora.tensor.FlatVector;

/**
 * The update that moves a State from one version to the next.
 *
 * @param fromVersion the version it applies to
 * @param gradient the summed gradient of a batch
 * @param scale factor on it: the clip factor over the number of trained tokens
 * @param learningRate rate of this step
 */
public record Update(long fromVersion, FlatVector gradient, float scale, double learningRate) implements Serializable {}
