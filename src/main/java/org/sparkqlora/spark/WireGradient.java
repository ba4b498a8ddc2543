package org.sparkqlora.spark;

import java.io.Serializable;
import org.sparkqlora.train.ShardResult;

/**
 * A shard's whole result on its way to the driver.
 *
 * @param facts the result without its vector
 * @param pieces consecutive ranges of the vector on the wire; none if the loss is broken
 */
record WireGradient(ShardResult facts, byte[][] pieces) implements Serializable {}
