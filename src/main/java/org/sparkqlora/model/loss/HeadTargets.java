package org.sparkqlora.model.loss;

import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.tensor.TensorMemory;

/**
 * The tokens that a head is to predict, and what is measured of its predictions.
 *
 * @param ids of the tokens
 * @param weights factors on the gradients of their losses; null for 1
 * @param measures takes those of their distributions; null for none
 */
public record HeadTargets(
        int[] ids, float @Nullable [] weights, @Nullable TokenMeasures measures) {
    /** A predicted distribution. */
    public record Distribution(double loss, double entropy, double meanLogit, boolean isBest) {}

    public double weight(int predictor) {
        return weights == null ? 1 : weights[predictor];
    }

    public void measure(int predictor, Distribution found) {
        if (measures != null) {
            measures.entropies()[predictor] = (float) found.entropy();
            measures.meanLogits()[predictor] = (float) found.meanLogit();
            measures.best()[predictor] = found.isBest() ? 1 : 0;
        }
    }

    /**
     * Measures the predictors from {@code at} on.
     *
     * @param logits (predictors, vocabulary), as {@code softmax}
     * @param wanted ids of the targets, (predictors, 1)
     */
    public void measure(int at, Tensor logits, Tensor softmax, Tensor wanted) {
        float[] entropies = values(logits.logsumexp(1).sub_(softmax.mul(logits).sum(1)));
        float[] means = values(logits.mean(1));
        float[] best = values(logits.argmax(new LongOptional(1), true).eq(wanted));
        for (int i = 0; i < best.length; i++) {
            measure(at + i, new Distribution(0, entropies[i], means[i], best[i] != 0));
        }
    }

    private static float[] values(Tensor tensor) {
        float[] values = new float[Math.toIntExact(tensor.numel())];
        TensorMemory.read(TensorMemory.onHost(tensor.to(ScalarType.Float)), values, values.length);
        return values;
    }
}
