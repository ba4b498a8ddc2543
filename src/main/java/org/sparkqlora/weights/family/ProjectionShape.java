package org.sparkqlora.weights.family;

/** Widths of a linear module: its weight is (outputs, inputs). */
public record ProjectionShape(int outputs, int inputs) {
    /** The widths of a module in each layer of a model that has it. */
    public static ProjectionShape of(Projection projection, ModelConfig config) {
        int hidden = config.hiddenSize();
        int queries = config.querySize();
        int keys = config.keyValueSize();
        int inner = config.intermediateSize();
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
        };
    }

    public long elements() {
        return (long) outputs * inputs;
    }
}
