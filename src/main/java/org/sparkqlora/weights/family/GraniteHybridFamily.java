package org.sparkqlora.weights.family;

import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.sparkqlora.weights.safetensors.FieldsJson;

/** Granite 4 without experts and without Mamba layers: Granite 3 whose feed-forward part is called {@code shared_mlp}. */
final class GraniteHybridFamily implements ModelFamily {
    private static final int EXPERTS = 8;
    private static final String ATTENTION = "attention";

    @Override
    public DecoderTraits traits(FieldsJson config) {
        int experts = config.integer("num_local_experts", EXPERTS);
        if (experts != 0) {
            throw config.unsupported("num_local_experts", String.valueOf(experts), "0: a model without experts");
        }

        return GraniteFamily.granite(config)
                .feedForward(FeedForwardModules.SHARED)
                .build();
    }

    @Override
    public List<LayerTraits> layers(LayerFieldsJson config) {
        requireAttention(config);
        return Collections.nCopies(config.layers(), new LayerTraits(OptionalInt.empty(), rotary(config)));
    }

    private static void requireAttention(LayerFieldsJson config) {
        List<String> kinds = config.names("layer_types", "layers_block_type");
        if (kinds.size() < config.layers()) {
            throw config.fields().wrong("layer_types", ATTENTION + " for each layer", null);
        }

        kinds.stream()
                .filter(kind -> !kind.equals(ATTENTION) && !kind.equals(LayerFieldsJson.FULL))
                .findFirst()
                .ifPresent(kind -> {
                    throw config.fields()
                            .unsupported("layer_types", kind, ATTENTION + " in every layer; Mamba is not computed");
                });
    }

    private static Optional<RotarySpec> rotary(LayerFieldsJson config) {
        String kind = config.fields().text("position_embedding_type", "nope");
        return switch (kind) {
            case "rope" -> Optional.of(config.rotary());
            case "nope" -> Optional.empty();
            default -> throw config.fields().unsupported("position_embedding_type", kind, "rope or nope");
        };
    }

    @Override
    public String intermediateSizeKey() {
        return "shared_intermediate_size";
    }
}
