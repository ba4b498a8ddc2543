package org.sparkqlora.model.experts;

import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.sparkqlora.tensor.Hardware;
import org.sparkqlora.tensor.TensorMemory;

/**
 * The rows of one expert's tokens among those of a pass. Behind those that are gathered come zeros: libtorch keeps a kernel for each
 * shape that it meets, so that products have a multiple of {@value #ROWS} rows.
 *
 * @param tokens their places in the pass, on the device
 */
public record ExpertRows(Routing.Share share, Tensor tokens, Hardware hardware) {
    public static final int ROWS = 32;

    public static ExpertRows of(Routing.Share share, Hardware hardware) {
        return new ExpertRows(share, hardware.on(TensorMemory.longs(share.tokens())), hardware);
    }

    /** With the zeros behind them. */
    public int count() {
        return (share.size() + ROWS - 1) / ROWS * ROWS;
    }

    public Tensor gather(Tensor from) {
        Tensor gathered = hardware.zeros(from.scalar_type(), count(), from.size(1));
        gathered.narrow(0, 0, share.size()).copy_(from.index_select(0, tokens));
        return gathered;
    }

    /** As {@link #gather}, each row multiplied by the token's weight. */
    public Tensor gatherWeighed(Tensor from) {
        return gather(from).mul_(weights(count()));
    }

    /** Adds rows, in any number format, to those of the tokens in {@code sum}, float32. */
    public void addTo(Tensor sum, Tensor rows) {
        sum.index_add_(0, tokens, rows.narrow(0, 0, share.size()).to(ScalarType.Float));
    }

    /** As {@link #addTo}, each row multiplied by the token's weight. */
    public void addWeighedTo(Tensor sum, Tensor rows) {
        addTo(sum, rows.narrow(0, 0, share.size()).to(ScalarType.Float).mul(weights(share.size())));
    }

    /**
     * Writes the gradients of the tokens' weights among those of all.
     *
     * @param products of each row of the output with its gradient, which was weighed before
     */
    public void addWeightGradients(Tensor products, float[] all) {
        float[] sums = new float[share.size()];
        TensorMemory.read(TensorMemory.onHost(products.narrow(0, 0, sums.length)), sums, sums.length);
        float[] weights = share.weights(sums.length);
        for (int i = 0; i < sums.length; i++) {
            sums[i] = weights[i] == 0 ? 0 : sums[i] / weights[i];
        }

        share.scatter(sums, all);
    }

    /** (rows, 1), zeros behind those of the tokens. */
    private Tensor weights(int rows) {
        return hardware.on(TensorMemory.floats(share.weights(rows), rows, 1));
    }
}
