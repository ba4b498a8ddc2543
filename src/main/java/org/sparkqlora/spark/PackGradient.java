package org.sparkqlora.spark;

import org.apache.spark.api.java.function.Function;
import org.sparkqlora.train.ShardResult;
import org.sparkqlora.train.Wire;

/** Puts a shard's whole gradient on the wire. Runs in a task. */
final class PackGradient implements Function<ShardResult, WireGradient> {
    private static final long serialVersionUID = 2L;

    private final Wire wire;

    PackGradient(Wire wire) {
        this.wire = wire;
    }

    @Override
    public WireGradient call(ShardResult result) {
        if (result instanceof ShardResult.Gradient shard) {
            wire.round(shard.gradient());
        }

        return new WireGradient(result, wire);
    }
}
