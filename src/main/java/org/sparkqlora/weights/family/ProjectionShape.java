package org.sparkqlora.weights.family;

import java.util.stream.IntStream;

/** Widths of a linear module: its weight is (outputs, inputs). */
public record ProjectionShape(int outputs, int inputs) {
    /** The widths of a module in a layer that has it. */
    public static ProjectionShape of(Projection projection, ModelConfig config, int layer) {
        int hidden = config.hiddenSize();
        int queries = config.querySize(layer);
        int keys = config.keyValueSize(layer);
        int inner = config.intermediateSize(layer);
        return switch (projection) {
            case FUSED_ATTENTION -> new ProjectionShape(queries + 2 * keys, hidden);
            case QUERY -> new ProjectionShape(config.traits().gatedAttention() ? 2 * queries : queries, hidden);
            case KEY, VALUE -> new ProjectionShape(keys, hidden);
            case OUTPUT -> new ProjectionShape(hidden, queries);
            case FUSED_GATE, SHARED_GATE -> new ProjectionShape(2 * inner, hidden);
            case GATE, UP -> new ProjectionShape(inner, hidden);
            case DELTA_QUERY_KEY_VALUE -> new ProjectionShape(config.deltaNet().channels(), hidden);
            case DELTA_GATE -> new ProjectionShape(config.deltaNet().valueWidth(), hidden);
            case DELTA_BETA, DELTA_DECAY ->
                new ProjectionShape(config.deltaNet().valueHeads(), hidden);
            case DELTA_OUTPUT -> new ProjectionShape(hidden, config.deltaNet().valueWidth());
            case DOWN, SHARED_DOWN -> new ProjectionShape(hidden, inner);
            case PER_LAYER_INPUTS ->
                new ProjectionShape(config.layers() * config.perLayer().width(), hidden);
            case PER_LAYER_GATE -> new ProjectionShape(config.perLayer().width(), hidden);
            case PER_LAYER_OUTPUT ->
                new ProjectionShape(hidden, config.perLayer().width());
        };
    }

    /** The number of weights of a module in the layer where it is largest. */
    public static long largest(Projection projection, ModelConfig config) {
        return IntStream.range(0, config.layers())
                .filter(layer -> Projection.of(config, layer).contains(projection))
                .mapToLong(layer -> of(projection, config, layer).elements())
                .max()
                .orElse(0);
    }

    public long elements() {
        return (long) outputs * inputs;
    }
}
