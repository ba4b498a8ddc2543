package org.sparkqlora.model;

import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.sparkqlora.model.DocumentBatch.Document;
import org.sparkqlora.tensor.TensorMemory;
import org.sparkqlora.tensor.TensorScope;
import org.sparkqlora.weights.RotarySpec;

/**
 * Rotary position embedding (arXiv 2104.09864) in Hugging Face's layout: element d of a head turns together with element
 * d + headSize / 2, by the angle position x frequency(d).
 *
 * <p>Under YaRN cosines and sines carry its attention factor.
 *
 * @param cosine (tokens, 1, headSize / 2), in the number format of activations
 * @param sine the same for sines
 */
record Rotary(Tensor cosine, Tensor sine) {
    /** Tables for the tokens of {@code batch}; each document counts its positions, and its length, for itself. */
    static Rotary of(DocumentBatch batch, RotarySpec spec, int headSize, ScalarType type) {
        int pairs = headSize / 2;
        float[] cosines = new float[batch.tokens() * pairs];
        float[] sines = new float[cosines.length];
        float factor = (float) spec.scaling().attentionFactor();
        int i = 0;
        for (Document document : batch.documents()) {
            float[] frequencies = spec.frequencies(headSize, document.end());
            for (int position = document.past(); position < document.end(); position++) {
                for (float frequency : frequencies) {
                    float angle = position * frequency;
                    cosines[i] = (float) Math.cos(angle) * factor;
                    sines[i++] = (float) Math.sin(angle) * factor;
                }
            }
        }

        long[] shape = {batch.tokens(), 1, pairs};
        return new Rotary(
                TensorMemory.floats(cosines, shape).to(type),
                TensorMemory.floats(sines, shape).to(type));
    }

    /** Turns (tokens, heads, headSize). */
    Tensor forward(Tensor input) {
        return turn(input, 1);
    }

    /** The gradient of the input: the gradient of the output, turned back. */
    Tensor backward(Tensor outputGradient) {
        return turn(outputGradient, -1);
    }

    private Tensor turn(Tensor input, int direction) {
        return TensorScope.keep(() -> {
            long half = input.size(2) / 2;
            Tensor first = input.narrow(2, 0, half);
            Tensor second = input.narrow(2, half, half);
            Tensor output = input.mul(cosine.repeat(1, 1, 2));
            output.narrow(2, 0, half).addcmul_(second, sine, new Scalar(-direction));
            output.narrow(2, half, half).addcmul_(first, sine, new Scalar(direction));
            return output;
        });
    }
}
