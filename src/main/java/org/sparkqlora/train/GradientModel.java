package org.sparkqlora.train;

import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.LongFunction;
import org.sparkqlora.model.layout.ParameterIndex;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.tensor.cuda.GpuAdamW;

/** A model as training sees it: the layout of its trained tensors, and gradients at given values of them. */
public interface GradientModel extends AutoCloseable {
    ParameterIndex parameters();

    /** Values to start from; the same for equal seeds. */
    default FlatVector initialParameters(long seed) {
        return initialParameters(seed, FlatVector::zeros);
    }

    /** Values to start from, in a vector that {@code zeros} makes. */
    FlatVector initialParameters(long seed, LongFunction<FlatVector> zeros);

    /** The model at these values, for any number of threads; must be closed before the model is. */
    default BoundModel bind(FlatVector parameters) {
        return bind(parameters, OptionalDouble.empty());
    }

    /**
     * The bound model with loss scaling: gradients are multiplied on their way through it, and divided again.
     *
     * @param lossScale none where they are not; a model in float32 has no use for one
     */
    BoundModel bind(FlatVector parameters, OptionalDouble lossScale);

    /** The GPU update of parameters and optimiser state; empty where the processor's threads make the update. */
    default Optional<GpuAdamW> gpuUpdate() {
        return Optional.empty();
    }

    @Override
    void close();
}
