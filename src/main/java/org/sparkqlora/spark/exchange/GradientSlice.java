package org.sparkqlora.spark.exchange;

import java.io.Serializable;
import org.sparkqlora.train.ShardResult;

/**
 * A slice of a shard's gradient, with the facts of the shard.
 *
 * @param facts the shard's result without its vector
 * @param values the encoded slice; empty if the shard's loss is broken
 */
public record GradientSlice(ShardResult facts, byte[] values) implements Serializable {}
