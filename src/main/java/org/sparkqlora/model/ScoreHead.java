package org.sparkqlora.model;

import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.model.layout.Parameter;
import org.sparkqlora.model.loss.LossTotal;
import org.sparkqlora.model.loss.ScoreLoss;
import org.sparkqlora.tensor.Hardware;
import org.sparkqlora.tensor.TensorMemory;

/**
 * The head {@code score} of transformers' sequence classification: {@code s = W h} of one token of a document, W of shape
 * (outputs, hidden), without a bias. Sums are in double, row by row, so that a document's scores do not depend on its neighbours.
 */
final class ScoreHead {
    private final Parameter place;
    private final Hardware hardware;
    private final int outputs;
    private final int width;
    private final float[] weight;

    private ScoreHead(Tensor weight, Parameter place, Hardware hardware) {
        this.place = place;
        this.hardware = hardware;
        this.outputs = Math.toIntExact(place.shape()[0]);
        this.width = Math.toIntExact(place.shape()[1]);
        this.weight = floats(weight, outputs * width);
    }

    /** @param place where W lies in the flat vector; null in a model without such a head */
    static ScoreHead of(@Nullable Parameter place, BoundParameters parameters, Hardware hardware) {
        if (place == null) {
            throw new IllegalStateException("Cannot score texts: the model has no head that does");
        }

        return new ScoreHead(parameters.of(place), place, hardware);
    }

    /** Scores (documents, outputs) of (documents, hidden), row-major. */
    float[] scores(Tensor hidden) {
        return scores(floats(hidden, Math.toIntExact(hidden.numel())));
    }

    private float[] scores(float[] hidden) {
        int documents = hidden.length / width;
        float[] scores = new float[documents * outputs];
        for (int i = 0; i < scores.length; i++) {
            scores[i] = (float) dot(hidden, i / outputs * width, i % outputs * width);
        }

        return scores;
    }

    private double dot(float[] hidden, int from, int row) {
        double sum = 0;
        for (int k = 0; k < width; k++) {
            sum += (double) hidden[from + k] * weight[row + k];
        }

        return sum;
    }

    /** The loss of a batch; its gradient is added to {@code gradients}, and that of {@code hidden}, (documents, hidden), goes to {@code dHidden}. */
    LossTotal gradient(
            DocumentBatch batch, ScoreLoss loss, Tensor hidden, Tensor dHidden, GradientAccumulator gradients) {
        float[] inputs = floats(hidden, Math.toIntExact(hidden.numel()));
        float[] scores = scores(inputs);
        float[] derivatives = new float[scores.length];
        LossTotal total = loss.of(batch.scores(scores, outputs), derivatives);
        float[] dInputs = new float[inputs.length];
        float[] dWeight = new float[weight.length];
        for (int i = 0; i < derivatives.length; i++) {
            float derivative = (float) (derivatives[i] * gradients.factor());
            int from = i / outputs * width;
            int row = i % outputs * width;
            for (int k = 0; k < width; k++) {
                dInputs[from + k] += derivative * weight[row + k];
                dWeight[row + k] += derivative * inputs[from + k];
            }
        }

        dHidden.copy_(hardware.on(TensorMemory.floats(dInputs, hidden.size(0), width)));
        gradients.add(place, TensorMemory.floats(dWeight, outputs, width));
        return total;
    }

    private static float[] floats(Tensor tensor, int count) {
        float[] values = new float[count];
        TensorMemory.read(TensorMemory.onHost(tensor.to(ScalarType.Float).contiguous()), values, count);
        return values;
    }
}
