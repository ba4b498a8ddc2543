package org.sparkqlora.weights.family;

import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.sparkqlora.weights.safetensors.FieldsJson;

/** Qwen 3.5 for text: the gated delta rule in three of four layers, and in the fourth attention with a gate, whose heads turn in part. */
final class Qwen35Family implements ModelFamily {
    private static final int INTERVAL = 4;
    private static final double ROTARY_SHARE = 0.25;
    private static final String LINEAR = "linear_attention";

    @Override
    public DecoderTraits traits(FieldsJson config) {
        Activation activation = Activation.read(config, "hidden_act", Activation.SILU);
        if (activation != Activation.SILU) {
            throw config.unsupported("hidden_act", config.text("hidden_act"), "silu");
        }

        if (!config.flag("attn_output_gate", true)) {
            throw config.unsupported("attn_output_gate", "false", "true");
        }

        boolean biased = config.flag("attention_bias", false);
        return DecoderTraits.builder()
                .normsCountFromZero()
                .activation(activation)
                .attentionBias(biased, biased)
                .queryKeyNorm(QueryKeyNorm.EACH_HEAD)
                .gatedAttention()
                .deltaNet(deltaNet(config))
                .build();
    }

    private static DeltaNetShape deltaNet(FieldsJson config) {
        DeltaNetShape shape = new DeltaNetShape(
                config.count("linear_num_key_heads", 16),
                config.count("linear_num_value_heads", 32),
                config.count("linear_key_head_dim", 128),
                config.count("linear_value_head_dim", 128),
                config.count("linear_conv_kernel_dim", 4));
        if (shape.kernel() < 2) {
            throw config.unsupported("linear_conv_kernel_dim", "1", "at least 2");
        }

        if (shape.valueHeads() % shape.keyHeads() != 0) {
            throw config.unsupported(
                    "linear_num_value_heads",
                    String.valueOf(shape.valueHeads()),
                    "a multiple of linear_num_key_heads, " + shape.keyHeads());
        }

        return shape;
    }

    @Override
    public List<LayerTraits> layers(LayerFieldsJson config) {
        int interval = config.fields().count("full_attention_interval", INTERVAL);
        LayerTraits full = new LayerTraits(OptionalInt.empty(), Optional.of(rotary(config)));
        return config
                .kindsOf(
                        List.of(LayerFieldsJson.FULL, LINEAR),
                        layer -> (layer + 1) % interval == 0 ? LayerFieldsJson.FULL : LINEAR)
                .stream()
                .map(kind -> kind.equals(LINEAR) ? LayerTraits.deltaNet() : full)
                .toList();
    }

    private RotarySpec rotary(LayerFieldsJson config) {
        FieldsJson fields = config.fields();
        FieldsJson parameters = RotaryJson.parameters(fields);
        double share = parameters.number(RotaryJson.SHARE, fields.number(RotaryJson.SHARE, ROTARY_SHARE));
        RotarySpec whole = RotaryJson.readPart(
                parameters.without(RotaryJson.SHARE), fields.number("rope_theta", theta()), config.maxPositions());
        return new RotarySpec(whole.theta(), whole.scaling(), share, whole.queryScaling());
    }

    @Override
    public OptionalInt headSize() {
        return OptionalInt.of(256);
    }
}
