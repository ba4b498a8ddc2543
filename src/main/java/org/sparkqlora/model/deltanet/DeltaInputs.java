package org.sparkqlora.model.deltanet;

import java.util.List;
import org.bytedeco.pytorch.Tensor;

/**
 * The inputs from which a layer of the gated delta rule makes its output.
 *
 * @param queryKeyValue what the projection of that name made, (rows, channels)
 * @param gate of the output, before its activation: (rows, value width)
 * @param beta how much a token writes, before the sigmoid: (rows, value heads)
 * @param decay how much of the state goes, before {@code A} and {@code softplus}: (rows, value heads)
 * @param convolution (channels, 1, kernel)
 * @param timeBias added to {@code decay}, (value heads)
 * @param logDecay {@code log A}, (value heads)
 * @param norm weight of the norm over each head, (value size)
 */
public record DeltaInputs(
        Tensor queryKeyValue,
        Tensor gate,
        Tensor beta,
        Tensor decay,
        Tensor convolution,
        Tensor timeBias,
        Tensor logDecay,
        Tensor norm) {
    /** How many come first that the projections made. */
    public static final int PROJECTED = 4;

    /** All of them in order. */
    public List<Tensor> all() {
        return List.of(queryKeyValue, gate, beta, decay, convolution, timeBias, logDecay, norm);
    }

    /** The inverse of {@link #all}. */
    public static DeltaInputs of(List<Tensor> all) {
        return new DeltaInputs(
                all.get(0), all.get(1), all.get(2), all.get(3), all.get(4), all.get(5), all.get(6), all.get(7));
    }
}
