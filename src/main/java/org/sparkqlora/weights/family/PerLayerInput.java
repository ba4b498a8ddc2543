package org.sparkqlora.weights.family;

import java.util.Locale;

/**
 * An embedding of tokens for each layer (Gemma 3n and 4): layer l gets {@code (norm(projection(x))_l + embedding_l) / sqrt(2)}, x being the
 * embedded tokens, and adds to its output {@code norm(output(f(gate(output)) input_l))}.
 *
 * @param width of a layer's input
 * @param vocabularySize rows of the embedding, each with the inputs of all layers
 */
public record PerLayerInput(int width, int vocabularySize) {
    /** The embedding, (vocabulary, layers width). */
    public static final String EMBEDDING = "model.embed_tokens_per_layer.weight";

    /** Of the norm over what the projection makes for one layer. */
    public static final String NORM = "model.per_layer_projection_norm.weight";

    /** The factor on the output of layer {@code layer}, a single number that never trains. */
    public static String scalar(int layer) {
        return String.format(Locale.ROOT, "model.layers.%d.layer_scalar", layer);
    }
}
