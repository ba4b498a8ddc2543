package org.sparkqlora.weights.family;

import java.util.List;
import java.util.OptionalInt;
import org.sparkqlora.weights.safetensors.FieldsJson;

/** One family of decoders: what its {@code config.json} means, and what transformers takes where a key is absent. */
interface ModelFamily {
    /** The traits that all its layers share. */
    DecoderTraits traits(FieldsJson config);

    /** The traits in which its layers differ, by layer. */
    List<LayerTraits> layers(LayerFieldsJson config);

    /** Base of the rotary frequencies. */
    default double theta() {
        return 10_000;
    }

    default double normEpsilon() {
        return 1e-6;
    }

    default boolean tiedEmbeddings() {
        return false;
    }

    /** Where the config says the width of the feed-forward part. */
    default String intermediateSizeKey() {
        return "intermediate_size";
    }

    /** The forms in which its weights may be quantised already ({@code quant_method}). */
    default List<String> quantizations() {
        return List.of("bitsandbytes", "fp8");
    }

    /** Width of a head; empty for the hidden size divided by the heads. */
    default OptionalInt headSize() {
        return OptionalInt.empty();
    }
}
