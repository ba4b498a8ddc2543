package org.sparkqlora.spark.exchange;

import java.io.Serializable;
import org.sparkqlora.train.GradientDtype;
import org.sparkqlora.train.ShardResult;

/**
 * A shard's whole result on its way to the driver.
 *
 * @param result whose vector, if it has one, holds numbers of the wire
 * @param wire in which the vector travels
 */
public record WireGradient(ShardResult result, GradientDtype wire) implements Serializable {}
