package org.sparkqlora.weights.family;

import java.util.Map;
import java.util.Optional;

/** Which parts of a layer are normalised before, after, or on both sides, and what Hugging Face calls those norms. */
enum NormPlacement {
    BEFORE(Map.of(
            LayerNorm.BEFORE_ATTENTION, "input_layernorm",
            LayerNorm.BEFORE_FEED_FORWARD, "post_attention_layernorm")),
    AROUND(Map.of(
            LayerNorm.BEFORE_ATTENTION, "input_layernorm",
            LayerNorm.AFTER_ATTENTION, "post_attention_layernorm",
            LayerNorm.BEFORE_FEED_FORWARD, "pre_feedforward_layernorm",
            LayerNorm.AFTER_FEED_FORWARD, "post_feedforward_layernorm")),
    AFTER(Map.of(
            LayerNorm.AFTER_ATTENTION, "post_attention_layernorm",
            LayerNorm.AFTER_FEED_FORWARD, "post_feedforward_layernorm"));

    private final Map<LayerNorm, String> names;

    NormPlacement(Map<LayerNorm, String> names) {
        this.names = names;
    }

    /** The module's name in its layer; nothing where this placement has no norm. */
    Optional<String> nameOf(LayerNorm norm) {
        return Optional.ofNullable(names.get(norm));
    }
}
