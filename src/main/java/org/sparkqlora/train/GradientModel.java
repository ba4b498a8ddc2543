package org.sparkqlora.train;

import org.sparkqlora.model.ParameterIndex;
import org.sparkqlora.tensor.FlatVector;

/** What training needs of a model: where its trained tensors lie, and gradients at any values of them. */
public interface GradientModel extends AutoCloseable {
    ParameterIndex parameters();

    /** Values to start from; the same for equal seeds. */
    FlatVector initialParameters(long seed);

    /** The model at these values, for any number of threads; must be closed before the model is. */
    BoundModel bind(FlatVector parameters);

    @Override
    void close();
}
