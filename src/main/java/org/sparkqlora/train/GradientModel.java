package org.sparkqlora.train;

import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.LongFunction;
import org.sparkqlora.model.ParameterIndex;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.tensor.cuda.GpuAdamW;

/** What training needs of a model: where its trained tensors lie, and gradients at any values of them. */
public interface GradientModel extends AutoCloseable {
    ParameterIndex parameters();

    /** Values to start from; the same for equal seeds. */
    default FlatVector initialParameters(long seed) {
        return initialParameters(seed, FlatVector::zeros);
    }

    /** The same in a vector that {@code zeros} makes. */
    FlatVector initialParameters(long seed, LongFunction<FlatVector> zeros);

    /** The model at these values, for any number of threads; must be closed before the model is. */
    BoundModel bind(FlatVector parameters);

    /**
     * The same, whose gradients are multiplied on their way through it, and divided again.
     *
     * @param lossScale none where they are not; a model in float32 has no use for one
     */
    default BoundModel bind(FlatVector parameters, OptionalDouble lossScale) {
        return bind(parameters);
    }

    /** What updates parameters and optimiser state where the model computes; nothing for the processor's threads. */
    default Optional<GpuAdamW> gpuUpdate() {
        return Optional.empty();
    }

    @Override
    void close();
}
