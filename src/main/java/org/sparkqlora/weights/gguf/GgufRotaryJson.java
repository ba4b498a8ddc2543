package org.sparkqlora.weights.gguf;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Optional;
import org.sparkqlora.weights.safetensors.InvalidWeightsException;

/** Writes {@code rope_scaling} of {@code config.json}. */
final class GgufRotaryJson {
    private static final double DEFAULT_THETA = 10000;
    private static final String TYPE = "rope.scaling.type";
    private static final String ORIGINAL_POSITIONS = "original_max_position_embeddings";

    private final GgufFile file;
    private final GgufMetadata metadata;
    private final GgufArchitecture architecture;
    private final int headSize;

    GgufRotaryJson(GgufFile file, GgufShape shape) {
        this.file = file;
        this.metadata = file.metadata();
        this.architecture = shape.architecture();
        this.headSize = shape.headSize();
    }

    /** Base of the frequencies. */
    double theta() {
        return metadata.number(architecture.key("rope.freq_base"), DEFAULT_THETA);
    }

    /** The scaling of the frequencies for a longer context, if any. */
    Optional<ObjectNode> scaling() {
        String type = metadata.optionalText(architecture.key(TYPE)).orElse("none");
        GgufTensor factors = file.tensors().get(GgufNames.ROTARY_FACTORS);
        if (factors != null) {
            return Optional.of(llama3(factors, type));
        }

        return switch (type) {
            case "none" -> Optional.empty();
            case "linear" -> Optional.of(scaled(type));
            case "yarn" -> Optional.of(yarn());
            default -> throw metadata.wrong(architecture.key(TYPE), "none, linear or yarn");
        };
    }

    /** All that is said of the rotation, as transformers 5 has it. */
    ObjectNode parameters() {
        ObjectNode parameters =
                scaling().orElseGet(() -> JsonNodeFactory.instance.objectNode().put("rope_type", "default"));
        parameters.put("rope_theta", theta());
        int turned =
                metadata.optionalInt(architecture.key("rope.dimension_count")).orElse(headSize);
        if (turned != headSize) {
            parameters.put("partial_rotary_factor", (double) turned / headSize);
        }

        String scale = architecture.key("attention.temperature_scale");
        if (metadata.has(scale)) {
            parameters.put("llama_4_scaling_beta", metadata.number(scale, 0));
        }

        return parameters;
    }

    private ObjectNode scaled(String type) {
        ObjectNode scaling = JsonNodeFactory.instance.objectNode().put("rope_type", type);
        return scaling.put("factor", metadata.number(architecture.key("rope.scaling.factor"), 1));
    }

    private ObjectNode yarn() {
        ObjectNode scaling = scaled("yarn");
        scaling.put(ORIGINAL_POSITIONS, metadata.count(architecture.key("rope.scaling.original_context_length")));
        copy(scaling, "attention_factor", "yarn_attn_factor");
        copy(scaling, "beta_fast", "yarn_beta_fast");
        copy(scaling, "beta_slow", "yarn_beta_slow");
        copy(scaling, "mscale_all_dim", "yarn_log_multiplier");
        if (scaling.has("mscale_all_dim")) {
            scaling.put("mscale", 1.0);
        }

        String extrapolation = architecture.key("rope.scaling.yarn_ext_factor");
        if (metadata.number(extrapolation, 1) != 1) {
            throw metadata.wrong(extrapolation, "1");
        }

        return scaling;
    }

    private void copy(ObjectNode scaling, String field, String key) {
        String full = architecture.key("rope.scaling." + key);
        if (metadata.has(full)) {
            scaling.put(field, metadata.number(full, 1));
        }
    }

    private ObjectNode llama3(GgufTensor tensor, String type) {
        if (!type.equals("none")) {
            throw metadata.wrong(architecture.key(TYPE), "none beside the tensor " + tensor.name());
        }

        Llama3Factors found = llama3(tensor)
                .orElseThrow(() -> new InvalidWeightsException(
                        "Unsupported rotary scaling in %s: expected factors of llama3 in tensor %s, found others. Use the model's Hugging Face folder"
                                .formatted(file.path(), tensor.name())));
        ObjectNode scaling = JsonNodeFactory.instance.objectNode().put("rope_type", "llama3");
        scaling.put("factor", found.factor());
        scaling.put("low_freq_factor", (double) Llama3Factors.SLOW);
        scaling.put("high_freq_factor", (double) Llama3Factors.FAST);
        return scaling.put(ORIGINAL_POSITIONS, found.originalPositions());
    }

    private Optional<Llama3Factors> llama3(GgufTensor tensor) {
        if (tensor.elements() != headSize / 2) {
            return Optional.empty();
        }

        float[] stored = new float[headSize / 2];
        tensor.asFloats().read(0, stored, stored.length);
        return Llama3Factors.of(stored, theta());
    }
}
