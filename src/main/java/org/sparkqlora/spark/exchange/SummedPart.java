package org.sparkqlora.spark.exchange;

import java.io.Serializable;
import java.util.List;
import org.sparkqlora.train.ShardResult;

/**
 * One piece of the sum.
 *
 * @param facts the results of all shards without their vectors, in shard order
 * @param values float32 of {@link org.sparkqlora.train.GradientDtype#FP32}; none if a shard's loss is broken
 */
public record SummedPart(List<ShardResult> facts, byte[] values) implements Serializable {
    public SummedPart {
        facts = List.copyOf(facts);
    }
}
