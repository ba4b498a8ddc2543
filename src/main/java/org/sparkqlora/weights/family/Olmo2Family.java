package org.sparkqlora.weights.family;

import java.util.List;
import java.util.OptionalInt;
import org.sparkqlora.weights.safetensors.FieldsJson;

/** OLMo 2: norms after a part only, and over all heads of queries and of keys. */
final class Olmo2Family implements ModelFamily {
    @Override
    public DecoderTraits traits(FieldsJson config) {
        return olmo(config);
    }

    /** The traits that OLMo 2 and 3 share. */
    static DecoderTraits olmo(FieldsJson config) {
        return LlamaFamily.withAttentionBias(config)
                .norms(NormPlacement.AFTER)
                .queryKeyNorm(QueryKeyNorm.ALL_HEADS)
                .build();
    }

    @Override
    public List<LayerTraits> layers(LayerFieldsJson config) {
        return config.alike(OptionalInt.empty());
    }

    @Override
    public double normEpsilon() {
        return 1e-5;
    }
}
