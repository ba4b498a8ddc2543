package org.sparkqlora.model.adapter;

import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.sparkqlora.tensor.SplitMix;
import org.sparkqlora.tensor.TensorMemory;

/**
 * Dropout of adapters' inputs in one training pass (arXiv 1207.0580): an element is dropped with {@code probability}, and the
 * others are divided by the share that is kept, so that the expectation stays.
 *
 * <p>Which elements are dropped is a pure function of seed, module and place: backward passes recompute it, and it is the same on
 * every machine and for any number of threads. Sixteen bits decide on an element, so probabilities are multiples of 2^-16.
 *
 * @param seed of the pass: no two passes of a run may share it
 */
public record Dropout(double probability, long seed) {
    private static final int BITS = 16;
    private static final int LANES = Long.SIZE / BITS;
    private static final int WINDOW = 1 << 16;

    /**
     * The elements that one module keeps.
     *
     * @param kept 1 where an element is kept and 0 where it is dropped, one byte each
     * @param scale what kept elements are multiplied by
     */
    public record Mask(Tensor kept, double scale) {
        /** Drops and scales, which is its own gradient. */
        public Tensor apply(Tensor values) {
            return values.mul(TensorMemory.on(values.device(), kept)).mul_(new Scalar(scale));
        }
    }

    /** The mask of {@code module} for an input of (tokens, inputs). */
    public Mask mask(String module, long tokens, long inputs) {
        int threshold = (int) Math.round(probability * (1 << BITS));
        Tensor kept = TensorMemory.empty(ScalarType.Byte, tokens, inputs);
        byte[] window = new byte[WINDOW];
        long state = SplitMix.mix(seed ^ SplitMix.mix(module.hashCode() * SplitMix.STEP));
        long elements = tokens * inputs;
        for (long from = 0; from < elements; from += WINDOW) {
            fill(window, state + SplitMix.STEP * (from / LANES), threshold);
            TensorMemory.write(kept, from, window, (int) Math.min(WINDOW, elements - from));
        }

        return new Mask(kept, (double) (1 << BITS) / ((1 << BITS) - threshold));
    }

    private static void fill(byte[] window, long start, int threshold) {
        long state = start;
        for (int i = 0; i < window.length; i += LANES) {
            state += SplitMix.STEP;
            long bits = SplitMix.mix(state);
            for (int lane = 0; lane < LANES; lane++) {
                int drawn = (int) (bits >>> (lane * BITS)) & 0xFFFF;
                // The sign of the difference, without a branch that no processor can predict.
                window[i + lane] = (byte) ((threshold - 1 - drawn) >>> (Integer.SIZE - 1));
            }
        }
    }
}
