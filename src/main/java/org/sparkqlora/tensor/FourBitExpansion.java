package org.sparkqlora.tensor;

import org.bytedeco.pytorch.Tensor;

/**
 * Turns 4-bit tensors back into numbers where they lie: level times scale in float32, for 16 bits rounded to nearest even. Every
 * implementation gives the bits of {@link org.sparkqlora.quant.FourBitDequantizer}.
 */
public interface FourBitExpansion {
    /**
     * Writes all weights to {@code target} and may return before they are there; what uses it in libtorch's own order waits.
     *
     * @param target without gaps, on the same device, float32, bfloat16 or float16, with room for all weights
     */
    void expand(FourBitMemory source, Tensor target);
}
