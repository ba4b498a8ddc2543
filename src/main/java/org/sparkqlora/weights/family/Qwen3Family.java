package org.sparkqlora.weights.family;

import java.util.List;
import java.util.OptionalInt;
import org.sparkqlora.weights.safetensors.FieldsJson;

/** Llama with a norm over each head of queries and keys. */
final class Qwen3Family implements ModelFamily {
    @Override
    public DecoderTraits traits(FieldsJson config) {
        return LlamaFamily.withAttentionBias(config)
                .queryKeyNorm(QueryKeyNorm.EACH_HEAD)
                .build();
    }

    @Override
    public List<LayerTraits> layers(LayerFieldsJson config) {
        return Qwen2Family.windowed(config);
    }

    @Override
    public OptionalInt headSize() {
        return OptionalInt.of(128);
    }
}
