package org.sparkqlora.spark;

import java.io.Serializable;
import org.sparkqlora.train.ShardResult;
import org.sparkqlora.train.Wire;

/**
 * A shard's whole result on its way to the driver.
 *
 * @param result whose vector, if it has one, holds numbers of the wire
 * @param wire in which the vector travels
 */
record WireGradient(ShardResult result, Wire wire) implements Serializable {}
