package org.sparkqlora.spark;

import java.util.ArrayList;
import java.util.List;
import org.apache.spark.api.java.function.Function;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.train.ShardResult;
import org.sparkqlora.train.Wire;

/** Puts a shard's whole gradient on the wire. Runs in a task. */
final class PackGradient implements Function<ShardResult, WireGradient> {
    private static final long serialVersionUID = 1L;

    /** Elements of a piece, so that no Java array length limits a gradient. */
    private static final int PIECE = 1 << 22;

    private final Wire wire;

    PackGradient(Wire wire) {
        this.wire = wire;
    }

    @Override
    public WireGradient call(ShardResult result) {
        if (!(result instanceof ShardResult.Gradient shard)) {
            return new WireGradient(result, new byte[0][]);
        }

        FlatVector vector = shard.gradient();
        List<byte[]> pieces = new ArrayList<>();
        for (long from = 0; from < vector.length(); from += PIECE) {
            pieces.add(wire.read(vector, from, (int) Math.min(PIECE, vector.length() - from)));
        }

        return new WireGradient(shard.withoutVector(), pieces.toArray(new byte[0][]));
    }
}
