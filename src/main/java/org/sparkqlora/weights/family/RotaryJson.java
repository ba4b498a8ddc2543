package org.sparkqlora.weights.family;

import com.fasterxml.jackson.databind.node.ObjectNode;
import org.sparkqlora.weights.safetensors.FieldsJson;

/**
 * Reads how a config turns positions: {@code rope_parameters} as transformers 5 writes it, or {@code rope_scaling} with
 * {@code rope_theta} beside it, as transformers 4 did.
 */
record RotaryJson(FieldsJson fields, int maxPositions) {
    /** The share of a head's elements that turn. */
    static final String SHARE = "partial_rotary_factor";

    private static final double FAST_TURNS = 32;
    private static final double SLOW_TURNS = 1;
    private static final String ORIGINAL_POSITIONS = "original_max_position_embeddings";

    /** Reads what {@code config} says of all its layers; {@code theta} is the family's base where it says none. */
    static RotarySpec read(FieldsJson config, double theta, int maxPositions) {
        requireWhole(config);
        return readPart(parameters(config), config.number("rope_theta", theta), maxPositions);
    }

    /** The object in which {@code config} says it: where it has both, transformers takes {@code rope_scaling}. */
    static FieldsJson parameters(FieldsJson config) {
        return config.objectOr("rope_scaling", "rope_parameters");
    }

    /** Reads what {@code rope_parameters} says of layers of {@code kind} in {@code config}, and {@code rope_scaling} in its place. */
    static RotarySpec readScaled(FieldsJson config, String kind, double theta, int maxPositions) {
        requireWhole(config);
        ObjectNode own = config.object("rope_parameters").object(kind).node().deepCopy();
        own.setAll(config.object("rope_scaling").node());
        return readPart(new FieldsJson(config.document(), own), config.number("rope_theta", theta), maxPositions);
    }

    /** Reads one object of the form of {@code rope_parameters}. */
    static RotarySpec readPart(FieldsJson fields, double theta, int maxPositions) {
        requireWhole(fields);
        return new RotarySpec(
                fields.number("rope_theta", theta),
                new RotaryJson(fields, maxPositions).scaling(fields.text("rope_type", fields.text("type", "default"))));
    }

    /** As {@link #readPart}, of a family whose heads may turn in part by the waves of the whole head. */
    static RotarySpec readProportional(FieldsJson fields, double theta, int maxPositions) {
        return fields.text("rope_type", "default").equals("proportional")
                ? new RotarySpec(
                        fields.number("rope_theta", theta),
                        new RotaryScaling.Proportional(fields.number(SHARE, 1), fields.number("factor", 1)))
                : readPart(fields, theta, maxPositions);
    }

    private static void requireWhole(FieldsJson fields) {
        double factor = fields.number(SHARE, 1);
        if (factor != 1) {
            throw fields.unsupported(SHARE, String.valueOf(factor), "1");
        }
    }

    private RotaryScaling scaling(String type) {
        return switch (type) {
            case "default" -> new RotaryScaling.Unscaled();
            case "linear" -> new RotaryScaling.Linear(fields.number("factor"));
            case "dynamic" -> new RotaryScaling.Dynamic(fields.number("factor"), maxPositions);
            case "llama3" ->
                new RotaryScaling.Llama3(
                        fields.number("factor"),
                        fields.number("low_freq_factor"),
                        fields.number("high_freq_factor"),
                        fields.count(ORIGINAL_POSITIONS, maxPositions));
            case "yarn" -> yarn();
            default -> throw fields.unsupported("rope_type", type, "default, linear, dynamic, llama3 or yarn");
        };
    }

    private RotaryScaling yarn() {
        int original = fields.count(ORIGINAL_POSITIONS, maxPositions);
        double factor = fields.number("factor", (double) maxPositions / original);
        return new RotaryScaling.Yarn(
                factor,
                fields.number("attention_factor", attentionFactor(factor)),
                fields.number("beta_fast", FAST_TURNS),
                fields.number("beta_slow", SLOW_TURNS),
                original,
                fields.flag("truncate", true));
    }

    private double attentionFactor(double factor) {
        double scale = fields.number("mscale", 0);
        double scaleOfAll = fields.number("mscale_all_dim", 0);
        return scale == 0 || scaleOfAll == 0
                ? RotaryScaling.Yarn.temperature(factor, 1)
                : RotaryScaling.Yarn.temperature(factor, scale) / RotaryScaling.Yarn.temperature(factor, scaleOfAll);
    }
}
