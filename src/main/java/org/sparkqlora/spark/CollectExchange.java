package org.sparkqlora.spark;

import java.util.List;
import org.apache.spark.api.java.JavaRDD;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.train.ShardResult;
import org.sparkqlora.train.StepGradient;
import org.sparkqlora.train.Wire;

/** Collects every shard's vector and adds them on the driver: the quickest way for small vectors. */
final class CollectExchange implements GradientExchange {
    private final Wire wire;
    private final long length;

    /** For vectors of {@code length} elements. */
    CollectExchange(Wire wire, long length) {
        this.wire = wire;
        this.length = length;
    }

    @Override
    public StepGradient sum(JavaRDD<ShardResult> shards, long step) {
        int shardCount = shards.getNumPartitions();
        List<WireGradient> results = shards.map(new PackGradient(wire)).collect();
        StepGradient facts = StepGradient.sum(
                step, shardCount, results.stream().map(WireGradient::facts).toList());
        FlatVector sum = FlatVector.zeros(length);
        for (int shard = 0; shard < shardCount; shard++) {
            long from = 0;
            for (byte[] piece : results.get(shard).pieces()) {
                from += put(piece, sum, from, shard);
            }
        }

        return facts.withGradient(sum);
    }

    @Override
    public void close() {
        // It keeps nothing between steps.
    }

    /** The first shard's values are the sum so far: zero plus them would lose the sign of a zero. */
    private int put(byte[] piece, FlatVector sum, long from, int shard) {
        if (shard == 0) {
            wire.write(piece, sum, from);
        } else {
            wire.add(piece, sum, from);
        }

        return piece.length / wire.bytesOfValue();
    }
}
