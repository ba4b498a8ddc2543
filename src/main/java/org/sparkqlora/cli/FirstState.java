package org.sparkqlora.cli;

import org.sparkqlora.model.ParameterIndex;
import org.sparkqlora.optim.OptimizerSpec;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.train.GradientModel;
import org.sparkqlora.train.ModelSource;
import org.sparkqlora.train.StateHome;

/**
 * What the driver must know of a model before it trains.
 *
 * @param index where the trained tensors lie
 * @param parameters their first values
 */
record FirstState(ParameterIndex index, FlatVector parameters) implements AutoCloseable {
    /** Opens the model, which also writes its quantised copy, and closes it again. */
    static FirstState of(ModelSource source, AdapterStart start, long seed, int threads) {
        try (GradientModel model = source.open(threads)) {
            return new FirstState(model.parameters(), start.parameters(model, seed));
        }
    }

    /** The same, its values moved to where {@code home} keeps those that {@code optimizer} moves. */
    FirstState in(StateHome home, OptimizerSpec optimizer) {
        FlatVector moved = home.zeros(optimizer, parameters.length());
        moved.setAll(parameters);
        parameters.close();
        return new FirstState(index, moved);
    }

    @Override
    public void close() {
        parameters.close();
    }
}
