package org.sparkqlora.model;

import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.model.layout.Parameter;
import org.sparkqlora.model.layout.Precision;

/**
 * The rows that tokens start as.
 *
 * @param place of the rows, when they train
 * @param multiplier on the rows, as the config has it
 */
record TokenEmbedding(FrozenWeights frozen, @Nullable Parameter place, Precision precision, double multiplier) {
    /** The residual stream that tokens start as. */
    Tensor of(BoundParameters parameters, Tensor ids) {
        Tensor rows = place == null ? frozen.embed(ids) : torch.embedding(parameters.of(place), ids);
        return multiplier == 1 ? rows : rows.mul_(factor());
    }

    /** Factor on embedded tokens, rounded as activations are: models that have one were trained so. */
    Scalar factor() {
        return new Scalar(precision.rounded(multiplier));
    }
}
