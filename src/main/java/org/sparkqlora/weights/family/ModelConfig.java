package org.sparkqlora.weights.family;

import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * The {@code config.json} of a decoder, in one form for all families and versions.
 *
 * @param modelType the family, such as {@code llama}
 * @param vocabularySize rows of the embedding
 * @param hiddenSize width of the residual stream
 * @param intermediateSize width of the feed-forward block where a layer has no other
 * @param layers number of decoder layers
 * @param heads query heads
 * @param keyValueHeads key and value heads where a layer has no other number
 * @param headSize width of a head where a layer has no other; heads * headSize need not be hiddenSize
 * @param normEpsilon epsilon of the RMS norms
 * @param tiedEmbeddings the output head is the embedding
 * @param maxPositions longest sequence the model was made for
 * @param initializerRange standard deviation of weights that are new
 * @param storedType PyTorch's name of the weights' type, such as {@code bfloat16}
 * @param eosIds tokens that end a text
 * @param bosId token that begins a text
 * @param padId token that fills a row
 * @param packed the weights of the checkpoint in fewer than 16 bits; empty where it has none, or is of bitsandbytes
 * @param traits what all layers compute
 * @param layerTraits what each layer does otherwise
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
        double initializerRange,
        boolean tiedEmbeddings,
        int maxPositions,
        String storedType,
        List<Integer> eosIds,
        OptionalInt bosId,
        OptionalInt padId,
        Optional<PackedWeights> packed,
        DecoderTraits traits,
        List<LayerTraits> layerTraits) {
    public ModelConfig {
        eosIds = List.copyOf(eosIds);
        layerTraits = List.copyOf(layerTraits);
    }

    /** This model with another number of tokens. */
    public ModelConfig withVocabulary(int size) {
        return with(size, tiedEmbeddings);
    }

    /** This model with a head of its own. */
    public ModelConfig untied() {
        return with(vocabularySize, false);
    }

    private ModelConfig with(int size, boolean tied) {
        return new ModelConfig(
                modelType,
                size,
                hiddenSize,
                intermediateSize,
                layers,
                heads,
                keyValueHeads,
                headSize,
                normEpsilon,
                initializerRange,
                tied,
                maxPositions,
                storedType,
                eosIds,
                bosId,
                padId,
                packed,
                traits,
                layerTraits);
    }

    /** Tokens of the longest sequence that the model was made for, stretched as its rotary scaling does. */
    public long longestSequence() {
        return layerTraits.stream()
                .flatMap(layer -> layer.rotary().stream())
                .mapToLong(rotary -> rotary.scaling().reach(maxPositions))
                .max()
                .orElse(maxPositions);
    }

    /** Factor on attention scores. */
    public double attentionScale() {
        return traits.attentionScale().orElse(1 / Math.sqrt(headSize));
    }

    /** Sizes of the layers of the gated delta rule. */
    public DeltaNetShape deltaNet() {
        return traits.deltaNet()
                .orElseThrow(() -> new IllegalStateException("Cannot find sizes of a mixer that the model has not"));
    }

    /** The experts of the layers that have some. */
    public Mixture mixture() {
        return traits.mixture()
                .orElseThrow(() -> new IllegalStateException("Cannot find experts of a model that has none"));
    }

    /** Whether the feed-forward part of a layer is a mixture. */
    public boolean isMixture(int layer) {
        return layerTraits.get(layer).feedForward() == LayerTraits.FeedForwardKind.EXPERTS;
    }

    /** Sizes of the inputs of single layers. */
    public PerLayerInput perLayer() {
        return traits.perLayer()
                .orElseThrow(() -> new IllegalStateException("Cannot find sizes of inputs that no layer has"));
    }

    /** What brings the tokens together in a layer. */
    public TokenMixing mixing(int layer) {
        return layerTraits.get(layer).mixing();
    }

    /** Where the keys and values of a layer come from. */
    public KeyValues keyValues(int layer) {
        return layerTraits.get(layer).keyValues();
    }

    /** The layer whose keys and values a layer attends to: itself, or an earlier one. */
    public int keysOf(int layer) {
        return keyValues(layer) instanceof KeyValues.OfLayer source ? source.layer() : layer;
    }

    /** The number of layers of one kind. */
    public int layersOf(TokenMixing mixing) {
        return (int)
                layerTraits.stream().filter(layer -> layer.mixing() == mixing).count();
    }

    /** Width of a head in a layer. */
    public int headSize(int layer) {
        return sizes(layer).headSize().orElse(headSize);
    }

    /** Key and value heads of a layer. */
    public int keyValueHeads(int layer) {
        return sizes(layer).keyValueHeads().orElse(keyValueHeads);
    }

    /** Width of a layer's feed-forward block. */
    public int intermediateSize(int layer) {
        return sizes(layer).intermediateSize().orElse(intermediateSize);
    }

    /** Width of all query heads of a layer. */
    public int querySize(int layer) {
        return heads * headSize(layer);
    }

    /** Width of all key heads of a layer, and of all value heads. */
    public int keyValueSize(int layer) {
        return keyValueHeads(layer) * headSize(layer);
    }

    private LayerTraits.LayerSizes sizes(int layer) {
        return layerTraits.get(layer).sizes();
    }
}
