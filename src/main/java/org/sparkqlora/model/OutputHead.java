package org.sparkqlora.model;

import java.util.OptionalDouble;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.tensor.TensorMemory;
import org.sparkqlora.tensor.TensorScope;

/**
 * Cross-entropy of the trained tokens: {@code loss = logsumexp(z) - z[target], z = m W h}, and its gradient
 * {@code dz = softmax(z) - onehot(target)}. With a cap c it is {@code z = c tanh(m W h / c)}, and dz is multiplied by
 * {@code 1 - (z / c)^2} on its way back.
 *
 * <p>Only positions that predict a trained token are computed, a chunk of them at a time, so that a full matrix of float32 logits
 * never exists.
 *
 * @param weight W, (vocabulary, hidden)
 * @param place where W lies in the flat vector, when it trains
 * @param multiplier m
 * @param cap c; empty without one
 */
record OutputHead(Tensor weight, @Nullable Parameter place, double multiplier, OptionalDouble cap) {
    /** 16 MiB of float32 logits a chunk: below what malloc would map and unmap each time. */
    private static final long CHUNK_LOGITS = 1L << 22;

    private static final long[] LAST = {-1};
    private static final Scalar ONE = new Scalar(1.0).retainReference();

    /** The loss of each predictor of (predictors, hidden), in nats. */
    float[] losses(Tensor hidden, Tensor targets) {
        return chunked(hidden, targets, null, null);
    }

    /**
     * The loss of each predictor; the gradient of their sum goes to {@code hiddenGradient}, shaped as {@code hidden}, and to the flat
     * vector if the head trains.
     */
    float[] lossesAndGradient(Tensor hidden, Tensor targets, Tensor hiddenGradient, GradientSum gradients) {
        return chunked(hidden, targets, hiddenGradient, gradients);
    }

    private float[] chunked(
            Tensor hidden, Tensor targets, @Nullable Tensor hiddenGradient, @Nullable GradientSum gradients) {
        long rows = hidden.size(0);
        long chunk = Math.max(1, CHUNK_LOGITS / weight.size(0));
        float[] losses = new float[Math.toIntExact(rows)];
        // Summed here: the flat vector is slower to add to, and a chunk is few rows.
        Tensor sum = place == null || gradients == null ? null : TensorMemory.zeros(ScalarType.Float, place.shape());
        for (long from = 0; from < rows; from += chunk) {
            long at = from;
            long count = Math.min(chunk, rows - from);
            TensorScope.run(() -> {
                Tensor inputs = hidden.narrow(0, at, count);
                Tensor wanted = targets.narrow(0, at, count).unsqueeze(1);
                Tensor logits = logits(inputs);
                Tensor logSum = logits.logsumexp(LAST, true);
                copyLosses(logSum.sub(logits.gather(1, wanted)), losses, (int) at);
                if (hiddenGradient != null) {
                    Tensor dLogits = productGradient(logits, logSum, wanted).to(hidden.scalar_type());
                    hiddenGradient.narrow(0, at, count).copy_(torch.mm(dLogits, weight));
                    if (sum != null) {
                        sum.add_(torch.mm(dLogits.t(), inputs));
                    }
                }
            });
        }

        if (sum != null && place != null && gradients != null) {
            gradients.add(place, sum);
        }

        return losses;
    }

    /** Logits of (tokens, hidden), in float32. */
    Tensor logits(Tensor hidden) {
        Tensor products = torch.linear(hidden, weight).to(ScalarType.Float);
        if (cap.isEmpty()) {
            return multiplier == 1 ? products : products.mul_(new Scalar(multiplier));
        }

        Tensor bent = products.mul_(new Scalar(multiplier / cap.getAsDouble())).tanh_();
        return bent.mul_(new Scalar(cap.getAsDouble()));
    }

    /** The gradient of {@code W h}; the logits are overwritten. */
    private Tensor productGradient(Tensor logits, Tensor logSum, Tensor wanted) {
        Tensor slope = cap.isEmpty()
                ? null
                : logits.div(new Scalar(cap.getAsDouble())).square_().neg_().add_(ONE);
        Tensor gradient = logitGradient(logits, logSum, wanted);
        if (slope != null) {
            gradient.mul_(slope);
        }

        return multiplier == 1 ? gradient : gradient.mul_(new Scalar(multiplier));
    }

    private static Tensor logitGradient(Tensor logits, Tensor logSum, Tensor wanted) {
        Tensor minusOne = torch.full(wanted.sizes(), new Scalar(-1.0), logits.options());
        return logits.sub_(logSum).exp_().scatter_add_(1, wanted, minusOne);
    }

    private static void copyLosses(Tensor chunk, float[] losses, int at) {
        float[] values = new float[Math.toIntExact(chunk.numel())];
        TensorMemory.read(chunk, values, values.length);
        System.arraycopy(values, 0, losses, at, values.length);
    }
}
