package org.sparkqlora.model.elementwise;

import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.tensor.Hardware;
import org.sparkqlora.tensor.TensorMemory;

/**
 * A logit z a head that joins the softmax of its scores and whose probability is dropped: {@code P = softmax([S, z])} without its last column.
 * dS is what it is without, as that column has no gradient; {@code dz = -sum over queries of p rowsum(dO O)}, of which p is the probability
 * that is dropped.
 */
public final class AttentionSinks {
    // T tokens, H heads, d head size, N queries of a product, n of them in the document

    private final Tensor logits;
    private final @Nullable Tensor gradient;
    private final float[] onHost;

    private AttentionSinks(Tensor logits, @Nullable Tensor gradient, float[] onHost) {
        this.logits = logits;
        this.gradient = gradient;
        this.onHost = onHost;
    }

    /** Sinks from logits, (H) in float32. */
    public static AttentionSinks of(Tensor logits, Hardware hardware) {
        float[] onHost = new float[hardware.isHostAccessible() ? Math.toIntExact(logits.numel()) : 0];
        if (hardware.isHostAccessible()) {
            TensorMemory.read(logits, onHost, onHost.length);
        }

        return new AttentionSinks(logits, null, onHost);
    }

    /** These, adding up their gradient. */
    public AttentionSinks training(Tensor sum) {
        return new AttentionSinks(logits, sum, onHost);
    }

    /** (H), float32. */
    Tensor logits() {
        return logits;
    }

    /** That of a head, where Java reads memory. */
    public float logit(int head) {
        return onHost[head];
    }

    /** {@code rowsum(dO O)}, (T, H), which the gradient needs; null where they do not train. */
    public @Nullable Tensor products(Tensor outputGradient, Tensor output) {
        return gradient == null
                ? null
                : outputGradient
                        .to(ScalarType.Float)
                        .mul(output.to(ScalarType.Float))
                        .view(output.size(0), logits.numel(), -1)
                        .sum(2);
    }

    /**
     * Adds the gradient of some queries.
     *
     * @param probability of what they see, (G, R N, keys)
     * @param products their rows of {@link #products}, (n, H)
     */
    public void addGradient(Tensor probability, @Nullable Tensor products) {
        if (gradient != null && products != null) {
            Tensor seen = probability.to(ScalarType.Float).sum(2).view(logits.numel(), -1);
            Tensor dropped = seen.narrow(1, 0, products.size(0)).neg().add_(new Scalar(1.0));
            gradient.sub_(dropped.mul_(products.t()).sum(1));
        }
    }
}
