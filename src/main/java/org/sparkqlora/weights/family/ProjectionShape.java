package org.sparkqlora.weights.family;

/** Widths of a linear module: its weight is (outputs, inputs). */
public record ProjectionShape(int outputs, int inputs) {
    /** The widths of a module in each layer of a model. */
    public static ProjectionShape of(Projection projection, ModelConfig config) {
        int hidden = config.hiddenSize();
        int queries = config.querySize();
        int keys = config.keyValueSize();
        int inner = config.intermediateSize();
        return switch (projection) {
            case FUSED_ATTENTION -> new ProjectionShape(queries + 2 * keys, hidden);
            case QUERY -> new ProjectionShape(queries, hidden);
            case KEY, VALUE -> new ProjectionShape(keys, hidden);
            case OUTPUT -> new ProjectionShape(hidden, queries);
            case FUSED_GATE, SHARED_GATE -> new ProjectionShape(2 * inner, hidden);
            case GATE, UP -> new ProjectionShape(inner, hidden);
            case DOWN, SHARED_DOWN -> new ProjectionShape(hidden, inner);
        };
    }

    public long elements() {
        return (long) outputs * inputs;
    }
}
