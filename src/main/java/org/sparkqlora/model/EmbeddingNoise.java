package org.sparkqlora.model;

import org.bytedeco.pytorch.Tensor;
import org.sparkqlora.model.DocumentBatch.Document;
import org.sparkqlora.tensor.SplitMix;
import org.sparkqlora.tensor.TensorMemory;
import org.sparkqlora.tensor.TensorScope;

/**
 * NEFTune (arXiv 2310.05914): uniform noise on embedded tokens in one training pass, in +- alpha / sqrt(length * hidden size),
 * where the length is that of the token's own document, so that packing does not change how loud it is.
 *
 * <p>A pure function of seed and place: the same on every machine and for any number of threads.
 *
 * @param seed of the pass: no two passes of a run may share it
 */
record EmbeddingNoise(double alpha, long seed) {
    /** Keeps the stream apart from dropout's, which begins at the same seed. */
    private static final long STREAM = 0x4E4546L;

    /** Values of one piece of noise, which bounds the memory beside the activations. */
    private static final int PIECE = 1 << 20;

    /** Distance of the 2^24 values in [-1, 1). */
    private static final float UNIT = 0x1p-23f;

    /** Adds the noise of each document of {@code batch} to its rows of {@code embedded}, (tokens, hidden size). */
    void addTo(Tensor embedded, DocumentBatch batch) {
        int hidden = Math.toIntExact(embedded.size(1));
        int rows = Math.max(1, PIECE / hidden);
        for (Document document : batch.documents()) {
            float bound = (float) (alpha / Math.sqrt((double) document.end() * hidden));
            for (int row = 0; row < document.length(); row += rows) {
                int count = Math.min(rows, document.length() - row);
                float[] piece = uniform((document.start() + row) * (long) hidden, count * hidden, bound);
                long first = document.start() + (long) row;
                TensorScope.run(() -> embedded.narrow(0, first, count)
                        .add_(TensorMemory.on(embedded.device(), TensorMemory.floats(piece, count, hidden))));
            }
        }
    }

    private float[] uniform(long from, int count, float bound) {
        long state = SplitMix.mix(seed ^ SplitMix.mix(STREAM)) + SplitMix.STEP * from;
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            state += SplitMix.STEP;
            values[i] = bound * ((SplitMix.mix(state) >>> 40) * UNIT - 1);
        }

        return values;
    }
}
