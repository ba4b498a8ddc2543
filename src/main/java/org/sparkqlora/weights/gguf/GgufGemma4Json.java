package org.sparkqlora.weights.gguf;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.stream.IntStream;
import org.sparkqlora.quant.FloatSource;

/** The entries of Gemma 4's {@code config.json} that others have not, the inverse of {@link GgufGemma4Entries}. */
record GgufGemma4Json(GgufFile file, GgufShape shape) {
    private static final double FULL_THETA = 1_000_000;
    private static final double WINDOWED_THETA = 10_000;
    private static final String PATTERN = "attention.sliding_window_pattern";
    private static final String KEY_VALUE_HEADS = "attention.head_count_kv";
    private static final String WIDTHS = "feed_forward_length";

    /** Of layers before those that share: the widths of all are this one or twice it. */
    static int intermediateSize(GgufMetadata metadata) {
        String key = key(WIDTHS);
        return metadata.hasList(key) ? Math.toIntExact(metadata.numbers(key).get(0)) : metadata.count(key);
    }

    /** Keys and values of layers with a window. */
    static int keyValueHeads(GgufMetadata metadata) {
        String key = key(KEY_VALUE_HEADS);
        return metadata.hasList(key) ? headsOf(metadata, true) : metadata.count(key);
    }

    void put(ObjectNode root) {
        GgufMetadata metadata = file.metadata();
        List<Boolean> windowed = metadata.flags(key(PATTERN));
        root.put("hidden_activation", "gelu_pytorch_tanh");
        root.put("sliding_window", metadata.count(key(GgufArchitecture.WINDOW)));
        ArrayNode kinds = root.putArray("layer_types");
        windowed.forEach(each -> kinds.add(each ? "sliding_attention" : "full_attention"));
        root.put("global_head_dim", metadata.count(key("attention.key_length")));
        int shared = metadata.optionalInt(key("attention.shared_kv_layers")).orElse(0);
        boolean valuesAreKeys = valuesAreKeys(windowed.size() - shared);
        root.put("attention_k_eq_v", valuesAreKeys);
        if (metadata.hasList(key(KEY_VALUE_HEADS))) {
            putFullHeads(root, metadata, valuesAreKeys);
        }

        root.put("num_kv_shared_layers", shared);
        root.put(
                "use_double_wide_mlp",
                metadata.hasList(key(WIDTHS))
                        && metadata.numbers(key(WIDTHS)).stream().distinct().count() > 1);
        root.put(
                "hidden_size_per_layer_input",
                metadata.optionalInt(key("embedding_length_per_layer_input")).orElse(0));
        root.put("vocab_size_per_layer_input", shape.vocabularySize());
        if (metadata.has(key("final_logit_softcapping"))) {
            root.put("final_logit_softcapping", metadata.number(key("final_logit_softcapping"), 0));
        } else {
            root.putNull("final_logit_softcapping");
        }

        putRotation(root.putObject("rope_parameters"), metadata);
    }

    /** transformers looks at their number only where values are keys. */
    private static void putFullHeads(ObjectNode root, GgufMetadata metadata, boolean valuesAreKeys) {
        int full = headsOf(metadata, false);
        if (!valuesAreKeys && full != headsOf(metadata, true)) {
            throw metadata.wrong(key(KEY_VALUE_HEADS), "the same number for each layer, where values have projections");
        }

        root.put("num_global_key_value_heads", full);
    }

    /** Whether a layer that sees all tokens, one of the first {@code own}, has keys and no values. */
    private boolean valuesAreKeys(int own) {
        return IntStream.range(0, own).anyMatch(layer -> has(layer, "attn_k") && !has(layer, "attn_v"));
    }

    private boolean has(int layer, String module) {
        return file.tensors().containsKey("blk." + layer + "." + module + ".weight");
    }

    private void putRotation(ObjectNode parameters, GgufMetadata metadata) {
        parameters
                .putObject("full_attention")
                .put("rope_type", "proportional")
                .put("rope_theta", metadata.number(key("rope.freq_base"), FULL_THETA))
                .put("partial_rotary_factor", share());
        parameters
                .putObject("sliding_attention")
                .put("rope_type", "default")
                .put("rope_theta", metadata.number(key("rope.freq_base_swa"), WINDOWED_THETA));
    }

    /** The share of a head whose pairs turn: those whose wave lengths have the factor 1. */
    private double share() {
        GgufTensor factors = file.tensors().get(GgufNames.ROTARY_FACTORS);
        if (factors == null) {
            return 1;
        }

        FloatSource source = factors.asFloats();
        float[] values = new float[Math.toIntExact(source.length())];
        source.read(0, values, values.length);
        return (double) IntStream.range(0, values.length)
                        .filter(pair -> values[pair] == 1)
                        .count()
                / values.length;
    }

    private static int headsOf(GgufMetadata metadata, boolean windowed) {
        List<Long> heads = metadata.numbers(key(KEY_VALUE_HEADS));
        List<Boolean> windows = metadata.flags(key(PATTERN));
        return IntStream.range(0, Math.min(heads.size(), windows.size()))
                .filter(layer -> windows.get(layer) == windowed)
                .mapToObj(heads::get)
                .findFirst()
                .map(Math::toIntExact)
                .orElseThrow(() -> metadata.wrong(key(KEY_VALUE_HEADS), "a number for layers of both kinds"));
    }

    private static String key(String name) {
        return GgufArchitecture.GEMMA4.key(name);
    }
}
