package org.sparkqlora.model;

import org.sparkqlora.weights.ModelConfig;

/** Widths of a linear module: its weight is (outputs, inputs). */
record ProjectionShape(int outputs, int inputs) {
    static ProjectionShape of(Projection projection, ModelConfig config) {
        int hidden = config.hiddenSize();
        int queries = config.heads() * config.headSize();
        int keys = config.keyValueHeads() * config.headSize();
        return switch (projection) {
            case QUERY -> new ProjectionShape(queries, hidden);
            case KEY, VALUE -> new ProjectionShape(keys, hidden);
            case OUTPUT -> new ProjectionShape(hidden, queries);
            case GATE, UP -> new ProjectionShape(config.intermediateSize(), hidden);
            case DOWN -> new ProjectionShape(hidden, config.intermediateSize());
        };
    }

    long elements() {
        return (long) outputs * inputs;
    }
}
