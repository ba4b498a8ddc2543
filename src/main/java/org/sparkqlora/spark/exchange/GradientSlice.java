package org.sparkqlora.spark.exchange;

import java.io.Serializable;
import org.sparkqlora.train.ShardResult;

/**
 * What a slice carries.
 *
 * @param facts the shard's result without its vector
 * @param values the slice on the wire; none of a shard whose loss is broken
 */
public record GradientSlice(ShardResult facts, byte[] values) implements Serializable {}
