package org.sparkqlora.weights;

import java.util.List;
import java.util.OptionalInt;

/**
 * What {@code config.json} says about a decoder, in one form for all families and versions.
 *
 * @param modelType {@code llama}, {@code mistral}, {@code qwen2} or {@code qwen3}
 * @param vocabularySize rows of the embedding
 * @param hiddenSize width of the residual stream
 * @param intermediateSize width of the feed-forward block
 * @param layers number of decoder layers
 * @param heads query heads
 * @param keyValueHeads key and value heads
 * @param headSize width of a head; heads * headSize need not be hiddenSize
 * @param normEpsilon epsilon of the RMS norms
 * @param rotary rotary position embedding
 * @param tiedEmbeddings the output head is the embedding
 * @param slidingWindow tokens that a token sees, itself included; empty for all before it
 * @param attentionBias q, k and v have a bias; see {@link #outputBias()} for o
 * @param mlpBias gate, up and down have a bias
 * @param maxPositions longest sequence the model was made for
 * @param storedType PyTorch's name of the weights' type, such as {@code bfloat16}
 * @param eosIds tokens that end a text
 * @param bosId token that begins a text
 * @param padId token that fills a row
 */
public record ModelConfig(
        String modelType,
        int vocabularySize,
        int hiddenSize,
        int intermediateSize,
        int layers,
        int heads,
        int keyValueHeads,
        int headSize,
        double normEpsilon,
        RotarySpec rotary,
        boolean tiedEmbeddings,
        OptionalInt slidingWindow,
        boolean attentionBias,
        boolean mlpBias,
        int maxPositions,
        String storedType,
        List<Integer> eosIds,
        OptionalInt bosId,
        OptionalInt padId) {
    public ModelConfig {
        eosIds = List.copyOf(eosIds);
    }

    /** The attention's output projection has a bias: where q, k and v have one, except in qwen2. */
    public boolean outputBias() {
        return attentionBias && !modelType.equals("qwen2");
    }

    /** Queries and keys pass an RMS norm over each head before they are turned. */
    public boolean queryKeyNorm() {
        return modelType.equals("qwen3");
    }

    /** Width of all query heads. */
    public int querySize() {
        return heads * headSize;
    }

    /** Width of all key heads, and of all value heads. */
    public int keyValueSize() {
        return keyValueHeads * headSize;
    }
}
