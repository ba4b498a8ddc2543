package org.sparkqlora.model;

import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.sparkqlora.tensor.TensorMemory;
import org.sparkqlora.tensor.TensorScope;

/**
 * Rotary position embedding (arXiv 2104.09864) in Hugging Face's layout: element d of a head turns together with element
 * d + headSize / 2, by the angle position x frequency(d).
 *
 * @param cosine (tokens, 1, headSize / 2), in the number format of activations
 * @param sine the same for sines
 */
record Rotary(Tensor cosine, Tensor sine) {
    /** Tables for tokens at the given positions. */
    static Rotary at(int[] positions, float[] frequencies, ScalarType type) {
        float[] cosines = new float[positions.length * frequencies.length];
        float[] sines = new float[cosines.length];
        int i = 0;
        for (int position : positions) {
            for (float frequency : frequencies) {
                float angle = position * frequency;
                cosines[i] = (float) Math.cos(angle);
                sines[i++] = (float) Math.sin(angle);
            }
        }

        long[] shape = {positions.length, 1, frequencies.length};
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
