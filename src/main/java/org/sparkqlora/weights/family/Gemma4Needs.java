package org.sparkqlora.weights.family;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.sparkqlora.weights.safetensors.FieldsJson;
import org.sparkqlora.weights.safetensors.InvalidWeightsException;

/** What a Gemma 4 has that no layer here computes, as its config says it. Defaults are those of transformers. */
final class Gemma4Needs {
    private static final String NAME = "gemma4";

    private final FieldsJson config;
    private final List<String> needs = new ArrayList<>();

    private Gemma4Needs(FieldsJson config) {
        this.config = config;
    }

    static boolean isGemma4(FieldsJson config) {
        return config.text("model_type").startsWith(NAME);
    }

    /** The error that lists them. */
    static InvalidWeightsException refusal(FieldsJson config) {
        Gemma4Needs found = new Gemma4Needs(config);
        found.list();
        return config.unsupported(
                "model_type",
                config.text("model_type"),
                "a family that is computed here, such as gemma3_text. Gemma 4 needs what is not: "
                        + String.join(", ", found.needs));
    }

    private void list() {
        int perLayer = config.integer("hidden_size_per_layer_input", 256);
        add(perLayer > 0, "an embedding for each layer (hidden_size_per_layer_input %d)", perLayer);
        int shared = config.integer("num_kv_shared_layers", 0);
        add(shared > 0, "keys and values of earlier layers (num_kv_shared_layers %d)", shared);
        int windowed = config.integer("head_dim", 256);
        int full = config.integer("global_head_dim", 512);
        add(windowed != full, "heads of two sizes (head_dim %d, global_head_dim %d)", windowed, full);
        add(config.flag("attention_k_eq_v", false), "keys that are values too (attention_k_eq_v)");
        add(config.flag("use_double_wide_mlp", false), "feed-forward parts of two widths (use_double_wide_mlp)");
        add(config.flag("enable_moe_block", false), "experts (enable_moe_block)");
        needs.add("a norm of values");
    }

    private void add(boolean needed, String text, Object... values) {
        if (needed) {
            needs.add(String.format(Locale.ROOT, text, values));
        }
    }
}
