package org.sparkqlora.spark.exchange;

import java.io.Serializable;
import java.util.List;
import org.sparkqlora.train.ShardResult;

/**
 * A slice of the gradient of a shard, or of the sum of some.
 *
 * @param facts the results of those shards without their vectors, which only the first slice carries
 * @param values the encoded slice; empty if a shard has no gradient
 */
public record GradientSlice(List<ShardResult> facts, byte[] values) implements Serializable {
    public GradientSlice {
        facts = List.copyOf(facts);
    }

    static GradientSlice of(int slice, List<ShardResult> facts, byte[] values) {
        return new GradientSlice(slice == 0 ? facts : List.of(), values);
    }
}
