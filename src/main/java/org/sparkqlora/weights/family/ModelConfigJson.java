package org.sparkqlora.weights.family;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.sparkqlora.weights.family.PackedWeights.Format;
import org.sparkqlora.weights.safetensors.FieldsJson;
import org.sparkqlora.weights.safetensors.InvalidWeightsException;

/**
 * Reads {@code config.json} in the form of transformers 4 ({@code rope_theta} and {@code rope_scaling} at the top,
 * {@code torch_dtype}) and of transformers 5 ({@code rope_parameters}, {@code dtype}). Defaults are those of the
 * transformers classes; of a model that sees images it is that of its text model. Unknown keys are ignored, known keys with values that would change the arithmetic are refused.
 */
public final class ModelConfigJson {
    /** Its name in the folder of a model. */
    public static final String FILE_NAME = "config.json";

    /** The deepest models have some 130. */
    private static final int MOST_LAYERS = 1024;

    private final FieldsJson fields;
    private final ModelFamily family;

    private ModelConfigJson(FieldsJson fields) {
        this.fields = TextConfigJson.of(fields);
        this.family = ModelFamilies.of(this.fields);
    }

    /** Reads the config in the file {@code configJson}. */
    public static ModelConfig read(Path configJson) {
        if (!Files.exists(configJson)) {
            throw new InvalidWeightsException(
                    "Cannot read %s: the file does not exist. Is its folder a Hugging Face model?"
                            .formatted(configJson));
        }

        return new ModelConfigJson(FieldsJson.read(configJson)).config();
    }

    /** Reads the config in {@code text}; {@code document} is its name in messages. */
    public static ModelConfig parse(String document, String text) {
        return new ModelConfigJson(FieldsJson.parse(document, text)).config();
    }

    private ModelConfig config() {
        FieldsJson quantization = fields.object("quantization_config");
        requireSupported(quantization);
        int hiddenSize = fields.count("hidden_size");
        int heads = fields.count("num_attention_heads");
        int maxPositions = fields.count("max_position_embeddings", 2048);
        ModelConfig config = new ModelConfig(
                fields.text("model_type"),
                fields.count("vocab_size"),
                hiddenSize,
                fields.count(family.intermediateSizeKey()),
                fields.countUpTo(MOST_LAYERS, "num_hidden_layers"),
                heads,
                fields.count("num_key_value_heads", heads),
                headSize(hiddenSize, heads),
                fields.number("rms_norm_eps", family.normEpsilon()),
                fields.number("initializer_range", 0.02),
                fields.flag("tie_word_embeddings", family.tiedEmbeddings()),
                maxPositions,
                fields.text("dtype", fields.text("torch_dtype", "float32")),
                fields.integers("eos_token_id"),
                tokenId("bos_token_id"),
                tokenId("pad_token_id"),
                packed(quantization),
                family.traits(fields),
                family.layers(new LayerFieldsJson(fields, family.theta(), maxPositions)));
        requireGroups(config);
        return config;
    }

    private void requireSupported(FieldsJson quantization) {
        String quantMethod = quantization.text("quant_method", "bitsandbytes");
        if (!family.quantizations().contains(quantMethod)) {
            throw fields.unsupported("quant_method", quantMethod, String.join(" or ", family.quantizations()));
        }

        if (quantization.flag("load_in_8bit", false)) {
            throw fields.unsupported("load_in_8bit", "true", "a 4-bit or an unquantised model");
        }
    }

    private static Optional<PackedWeights> packed(FieldsJson quantization) {
        return switch (quantization.text("quant_method", "")) {
            case "fp8" -> Optional.of(packed(Format.FP8, quantization));
            case "mxfp4" -> Optional.of(packed(Format.MXFP4, quantization));
            default -> Optional.empty();
        };
    }

    private static PackedWeights packed(Format format, FieldsJson quantization) {
        List<Integer> block = quantization.integers("weight_block_size");
        if (!(block.isEmpty() || block.size() == 2 && block.get(0) > 0 && block.get(1) > 0)) {
            throw quantization.unsupported("weight_block_size", block.toString(), "none, or rows and columns");
        }

        return new PackedWeights(
                format,
                block.isEmpty() ? 0 : block.get(0),
                block.isEmpty() ? 0 : block.get(1),
                quantization.texts("modules_to_not_convert"));
    }

    private void requireGroups(ModelConfig config) {
        requireGroups(config.heads(), config.keyValueHeads(), config.headSize());
        for (int layer = 0; layer < config.layers(); layer++) {
            requireGroups(config.heads(), config.keyValueHeads(layer), config.headSize(layer));
            int headSize = config.headSize(layer);
            config.layerTraits().get(layer).rotary().ifPresent(rotary -> requirePairs(rotary, headSize));
        }
    }

    private void requirePairs(RotarySpec rotary, int headSize) {
        if (rotary.width(headSize) % 2 != 0) {
            throw fields.unsupported(
                    RotaryJson.SHARE,
                    String.valueOf(rotary.share()),
                    "an even number of the " + headSize + " elements of a head");
        }
    }

    private void requireGroups(int heads, int keyValueHeads, int headSize) {
        if (heads % keyValueHeads != 0) {
            throw new InvalidWeightsException(
                    "Cannot read %s: expected num_attention_heads to be a multiple of num_key_value_heads, found %d and %d"
                            .formatted(fields.document(), heads, keyValueHeads));
        }

        if (headSize % 2 != 0) {
            throw new InvalidWeightsException(
                    "Cannot read %s: expected an even head size, found %d".formatted(fields.document(), headSize));
        }
    }

    private int headSize(int hiddenSize, int heads) {
        if (fields.has("head_dim")) {
            return fields.count("head_dim");
        }

        if (family.headSize().isPresent()) {
            return family.headSize().getAsInt();
        }

        if (hiddenSize % heads != 0) {
            throw new InvalidWeightsException(
                    "Cannot read %s: expected hidden_size to be a multiple of num_attention_heads, found %d and %d"
                            .formatted(fields.document(), hiddenSize, heads));
        }

        return hiddenSize / heads;
    }

    private OptionalInt tokenId(String key) {
        return fields.has(key) ? OptionalInt.of(fields.integer(key)) : OptionalInt.empty();
    }
}
