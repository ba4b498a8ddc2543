package org.sparkqlora.train;

import java.util.OptionalDouble;
import java.util.function.LongFunction;
import org.sparkqlora.model.layout.ParameterIndex;
import org.sparkqlora.tensor.FlatVector;

/** Does what another model does, but for what a test does otherwise. */
public interface PassingModel extends GradientModel {
    GradientModel model();

    @Override
    default ParameterIndex parameters() {
        return model().parameters();
    }

    @Override
    default FlatVector initialParameters(long seed, LongFunction<FlatVector> zeros) {
        return model().initialParameters(seed, zeros);
    }

    @Override
    default BoundModel bind(FlatVector parameters, OptionalDouble lossScale) {
        return model().bind(parameters, lossScale);
    }

    @Override
    default void close() {
        model().close();
    }
}
