package org.sparkqlora.spark.exchange;

import org.apache.spark.api.java.function.Function;
import org.sparkqlora.train.GradientDtype;
import org.sparkqlora.train.ShardResult;

/** Puts a shard's whole gradient on the wire. Runs in a task. */
final class PackGradient implements Function<ShardResult, WireGradient> {
    private static final long serialVersionUID = 2L;

    private final GradientDtype wire;

    PackGradient(GradientDtype wire) {
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
