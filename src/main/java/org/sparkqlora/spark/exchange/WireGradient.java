package org.sparkqlora.spark.exchange;

import java.io.Serializable;
import org.sparkqlora.train.GradientDtype;
import org.sparkqlora.train.ShardResult;

/**
 * A shard's whole result on its way to the driver.
 *
 * @param result whose vector, if it has one, is rounded to {@code dtype}
 * @param dtype number format in which the vector is sent
 */
public record WireGradient(ShardResult result, GradientDtype dtype) implements Serializable {}
