package org.sparkqlora.run.model;

import java.util.function.LongFunction;
import org.sparkqlora.model.layout.ParameterIndex;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.train.GradientModel;
import org.sparkqlora.train.ModelSource;

/**
 * The trained tensors of a model before its first step.
 *
 * @param index where the trained tensors lie
 * @param parameters their first values
 */
public record FirstState(ParameterIndex index, FlatVector parameters) implements AutoCloseable {
    /** Opens the model, which also writes its quantised copy, and closes it again; the values are in memory. */
    public static FirstState of(ModelSource source, AdapterStart start, long seed, int threads) {
        return of(source, start, seed, threads, FlatVector::zeros);
    }

    /** Opens the model, with values in a vector that {@code zeros} makes. */
    public static FirstState of(
            ModelSource source, AdapterStart start, long seed, int threads, LongFunction<FlatVector> zeros) {
        try (GradientModel model = source.open(threads)) {
            return new FirstState(model.parameters(), start.parameters(model, seed, zeros));
        }
    }

    /** Opens the model, which also writes its quantised copy, and closes it again: where its trained tensors lie. */
    public static ParameterIndex index(ModelSource source, int threads) {
        try (GradientModel model = source.open(threads)) {
            return model.parameters();
        }
    }

    @Override
    public void close() {
        parameters.close();
    }
}
