package org.sparkqlora.weights;

import java.util.Arrays;
import org.sparkqlora.quant.FloatSource;
import org.sparkqlora.weights.family.DecoderTensors;
import org.sparkqlora.weights.safetensors.InvalidWeightsException;
import org.sparkqlora.weights.safetensors.StoredTensor;

/**
 * The head of a model whose config says that it is the embedding. Some files hold a copy of it; where they hold another one transformers
 * believes the file.
 */
final class TiedHead {
    private static final int PIECE = 1 << 16;

    private TiedHead() {}

    /** Throws an error if {@code folder} holds a head that is not the embedding, though its config says so. */
    static void check(WeightFolder folder) {
        if (!folder.config().tiedEmbeddings() || !folder.has(DecoderTensors.HEAD)) {
            return;
        }

        if (!isCopy(folder.tensor(DecoderTensors.HEAD), folder.tensor(DecoderTensors.EMBEDDING))) {
            throw new InvalidWeightsException(
                    "Cannot use %s: expected no %s, or a copy of %s, because tie_word_embeddings is true, found another. Set it to false in config.json to use both."
                            .formatted(folder.path(), DecoderTensors.HEAD, DecoderTensors.EMBEDDING));
        }
    }

    private static boolean isCopy(StoredTensor head, StoredTensor embedding) {
        if (!Arrays.equals(head.shape(), embedding.shape())) {
            return false;
        }

        FloatSource left = head.asFloats();
        FloatSource right = embedding.asFloats();
        float[] these = new float[PIECE];
        float[] those = new float[PIECE];
        for (long at = 0; at < left.length(); at += PIECE) {
            int count = (int) Math.min(PIECE, left.length() - at);
            left.read(at, these, count);
            right.read(at, those, count);
            if (!Arrays.equals(these, 0, count, those, 0, count)) {
                return false;
            }
        }

        return true;
    }
}
