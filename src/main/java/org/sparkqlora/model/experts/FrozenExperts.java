package org.sparkqlora.model.experts;

import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.tensor.BaseMatrix;
import org.sparkqlora.weights.family.ExpertMatrix;

/**
 * The frozen weights of a layer's mixture between passes.
 *
 * @param router (experts, hidden); null where it trains
 * @param routerBias (experts); null where it trains, or there is none
 * @param matrices of each expert; empty where they train
 * @param biases null where they train, or there are none
 */
public record FrozenExperts(
        @Nullable Tensor router,
        @Nullable Tensor routerBias,
        List<Map<ExpertMatrix, BaseMatrix>> matrices,
        @Nullable ExpertBiases biases) {

    public BaseMatrix matrix(int expert, ExpertMatrix matrix) {
        return Objects.requireNonNull(matrices.get(expert).get(matrix));
    }

    /** Has the system read what is not resident of the experts that tokens go to. */
    public void ask(Routing routing) {
        int[] counts = routing.counts();
        for (int expert = 0; expert < matrices.size(); expert++) {
            if (counts[expert] > 0) {
                matrices.get(expert).values().forEach(BaseMatrix::ask);
            }
        }
    }
}
