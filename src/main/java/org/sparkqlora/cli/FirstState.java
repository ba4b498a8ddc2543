package org.sparkqlora.cli;

import org.sparkqlora.model.ParameterIndex;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.train.GradientModel;
import org.sparkqlora.train.ModelSource;

/**
 * What the driver must know of a model before it trains.
 *
 * @param index where the trained tensors lie
 * @param parameters their first values
 */
record FirstState(ParameterIndex index, FlatVector parameters) {
    /** Opens the model, which also writes its quantised copy, and closes it again. */
    static FirstState of(ModelSource source, AdapterStart start, long seed, int threads) {
        try (GradientModel model = source.open(threads)) {
            return new FirstState(model.parameters(), start.parameters(model, seed));
        }
    }
}
