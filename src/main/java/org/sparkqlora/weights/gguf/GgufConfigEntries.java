package org.sparkqlora.weights.gguf;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import org.sparkqlora.weights.family.DeltaNetShape;
import org.sparkqlora.weights.family.LayerTraits;
import org.sparkqlora.weights.family.ModelConfig;
import org.sparkqlora.weights.family.RotaryScaling;
import org.sparkqlora.weights.family.RotarySpec;
import org.sparkqlora.weights.family.TokenMixing;
import org.sparkqlora.weights.safetensors.FieldsJson;

/** Puts what {@code config.json} says into metadata, the inverse of {@link GgufConfigJson}: keys and order of llama.cpp's converter. */
final class GgufConfigEntries {
    private static final int PHI3_POSITIONS = 4096;

    /** Pairs of a head that turn by time, height, width and something else; of a text all turn alike. */
    private static final int SECTIONS = 4;

    private static final List<Integer> USUAL_SECTIONS = List.of(11, 11, 10);
    private static final String ORIGINAL_POSITIONS = "rope.scaling.original_context_length";

    private final GgufEntries entries;
    private final ModelConfig config;
    private final FieldsJson fields;
    private final GgufArchitecture architecture;
    private final GgufOutType outType;

    /** @param fields {@code config.json} itself, of which {@code config} is read */
    GgufConfigEntries(GgufEntries entries, ModelConfig config, FieldsJson fields, GgufOutType outType) {
        this.entries = entries;
        this.config = config;
        this.fields = fields;
        this.architecture = GgufArchitecture.of(config);
        this.outType = outType;
    }

    void put() {
        switch (architecture) {
            case LLAMA, SMOLLM3 -> {
                putCommon();
                putTurnedSize();
            }
            case QWEN2, QWEN3, OLMO2 -> putCommon();
            case OLMO3 -> putOlmo3();
            case MISTRAL3 -> putMistral3();
            case QWEN35 -> putQwen35();
            case QWEN3_MOE -> {
                putCommon();
                count("expert_feed_forward_length", config.mixture().width());
            }
            case GRANITE -> putGranite();
            case GRANITE4 -> putGranite4();
            case GEMMA2 -> putGemma2();
            case GEMMA3 -> putGemma3();
            case GEMMA4 -> new GgufGemma4Entries(entries, config, fields, outType).put();
            case PHI3 -> putPhi3();
        }
    }

    private void putCommon() {
        count("block_count", config.layers());
        count("context_length", config.maxPositions());
        count("embedding_length", config.hiddenSize());
        count("feed_forward_length", config.intermediateSize());
        putHeads();
        putRotary();
        number("attention.layer_norm_rms_epsilon", config.normEpsilon());
        putExperts();
        if (namesHeadSize()) {
            putHeadSize();
        }

        putFileType();
    }

    /** Granite 4 has keys for experts and none of them. */
    private void putExperts() {
        if (architecture == GgufArchitecture.QWEN3_MOE) {
            count("expert_count", config.mixture().experts());
            count("expert_used_count", config.mixture().perToken());
        } else if (architecture == GgufArchitecture.GRANITE4) {
            copyCount("num_local_experts", "expert_count");
            copyCount("num_experts_per_tok", "expert_used_count");
        }
    }

    private void copyCount(String field, String key) {
        if (fields.has(field)) {
            count(key, fields.integer(field));
        }
    }

    private void putHeads() {
        count("attention.head_count", config.heads());
        count("attention.head_count_kv", config.keyValueHeads());
    }

    private void putHeadSize() {
        count("attention.key_length", config.headSize());
        count("attention.value_length", config.headSize());
    }

    private void putFileType() {
        entries.count("general.file_type", outType.fileType());
    }

    /** Configs of transformers that always have a head_dim, and others that give one. */
    private boolean namesHeadSize() {
        return switch (architecture) {
            case LLAMA, QWEN3, QWEN35, GEMMA2, GEMMA3, MISTRAL3 -> true;
            case QWEN2, QWEN3_MOE, OLMO2, OLMO3, PHI3, SMOLLM3 -> fields.has("head_dim");
            case GRANITE, GRANITE4, GEMMA4 -> false;
        };
    }

    private void putTurnedSize() {
        count("vocab_size", config.vocabularySize());
        count("rope.dimension_count", config.headSize());
    }

    private void putRotary() {
        RotarySpec rotary = rotary();
        if (rotary.scaling() instanceof RotaryScaling.Linear linear) {
            text("rope.scaling.type", "linear");
            number("rope.scaling.factor", linear.factor());
        } else if (rotary.scaling() instanceof RotaryScaling.Yarn yarn) {
            putYarn(yarn);
        }

        sections(rotaryFields()).ifPresent(this::putSections);
        number("rope.freq_base", rotaryFields().number("rope_theta", rotary.theta()));
        if (architecture == GgufArchitecture.GEMMA3 || namesWindowedTheta()) {
            config.layerTraits().stream()
                    .filter(layer -> layer.window().isPresent())
                    .flatMap(layer -> layer.rotary().stream())
                    .findFirst()
                    .ifPresent(windowed -> number("rope.freq_base_swa", windowed.theta()));
        }
    }

    private boolean namesWindowedTheta() {
        return architecture == GgufArchitecture.OLMO3
                && fields.object("rope_parameters").object("sliding_attention").has("rope_theta");
    }

    private static Optional<List<Integer>> sections(FieldsJson given) {
        return Optional.of(given.integers("mrope_section")).filter(sections -> !sections.isEmpty());
    }

    private void putSections(List<Integer> sections) {
        List<Integer> padded = new ArrayList<>(sections);
        padded.addAll(Collections.nCopies(Math.max(0, SECTIONS - sections.size()), 0));
        entries.integers(architecture.key("rope.dimension_sections"), padded.subList(0, SECTIONS));
    }

    private void putYarn(RotaryScaling.Yarn yarn) {
        FieldsJson given = rotaryFields();
        text("rope.scaling.type", "yarn");
        number("rope.scaling.factor", yarn.factor());
        count(ORIGINAL_POSITIONS, yarn.originalMaxPositions());
        copy(given, "extrapolation_factor", "yarn_ext_factor");
        copy(given, given.has("attention_factor") ? "attention_factor" : "attn_factor", "yarn_attn_factor");
        copy(given, "beta_fast", "yarn_beta_fast");
        copy(given, "beta_slow", "yarn_beta_slow");
    }

    private void copy(FieldsJson given, String field, String key) {
        if (given.has(field)) {
            number("rope.scaling." + key, given.number(field));
        }
    }

    /** The rotation of layers that see everything. */
    private RotarySpec rotary() {
        return config.layerTraits().stream()
                .filter(layer -> !turnsOtherwiseInWindows() || layer.window().isEmpty())
                .flatMap(layer -> layer.rotary().stream())
                .findFirst()
                .orElseGet(this::anyRotary);
    }

    private boolean turnsOtherwiseInWindows() {
        return architecture == GgufArchitecture.GEMMA3 || architecture == GgufArchitecture.OLMO3;
    }

    private RotarySpec anyRotary() {
        return config.layerTraits().stream()
                .map(LayerTraits::rotary)
                .flatMap(rotary -> rotary.stream())
                .findFirst()
                .orElseThrow(() -> fields.unsupported("no_rope_layers", "none that turns", "at least one"));
    }

    private FieldsJson rotaryFields() {
        FieldsJson given = fields.objectOr("rope_scaling", "rope_parameters");
        return given.has("full_attention") ? given.object("full_attention") : given;
    }

    private void putGranite() {
        putCommon();
        putTurnedSize();
        copyNonzero("attention_multiplier", "attention.scale", 1);
        copyNonzero("embedding_multiplier", "embedding_scale", 1);
        copyNonzero("residual_multiplier", "residual_scale", 1);
        copyNonzero("logits_scaling", "logit_scale", 1);
    }

    /** The sizes of Mamba layers, of which it has none, are those of its config. */
    private void putGranite4() {
        putGranite();
        count("expert_shared_feed_forward_length", config.intermediateSize());
        count("ssm.conv_kernel", fields.count("mamba_d_conv", 4));
        count("ssm.state_size", fields.count("mamba_d_state", 256));
        count("ssm.group_count", fields.count("mamba_n_groups", 1));
        count("ssm.inner_size", (long) fields.count("mamba_expand", 2) * config.hiddenSize());
        count("ssm.time_step_rank", fields.count("mamba_n_heads", 128));
        entries.integers(
                architecture.key("attention.head_count_kv"),
                Collections.nCopies(config.layers(), config.keyValueHeads()));
        entries.flag(architecture.key("rope.scaling.finetuned"), true);
    }

    private void putMistral3() {
        putCommon();
        putTurnedSize();
        copy(rotaryFields(), "mscale_all_dim", "yarn_log_multiplier");
        rotary().queryScaling().ifPresent(scaling -> number("attention.temperature_scale", scaling.beta()));
    }

    private void putOlmo3() {
        putCommon();
        putWindow();
        if (window() > 0) {
            entries.flags(
                    architecture.key("attention.sliding_window_pattern"),
                    config.layerTraits().stream()
                            .map(layer -> layer.window().isPresent())
                            .toList());
        }
    }

    private void putQwen35() {
        putCommon();
        DeltaNetShape delta = config.deltaNet();
        count("ssm.conv_kernel", delta.kernel());
        count("ssm.state_size", delta.keySize());
        count("ssm.group_count", delta.keyHeads());
        count("ssm.time_step_rank", delta.valueHeads());
        count("ssm.inner_size", delta.valueWidth());
        entries.flags(
                architecture.key("attention.recurrent_layers"),
                config.layerTraits().stream()
                        .map(layer -> layer.mixing() == TokenMixing.DELTA_NET)
                        .toList());
        count(
                "full_attention_interval",
                fields.count("full_attention_interval", GgufArchitecture.FULL_ATTENTION_INTERVAL));
        count("rope.dimension_count", rotary().width(config.headSize()));
        if (sections(rotaryFields()).isEmpty()) {
            putSections(USUAL_SECTIONS);
        }
    }

    private void copyNonzero(String field, String key, double absent) {
        double value = fields.number(field, absent);
        if (value != 0) {
            number(key, value);
        }
    }

    private void putGemma2() {
        count("context_length", config.maxPositions());
        count("embedding_length", config.hiddenSize());
        count("block_count", config.layers());
        count("feed_forward_length", config.intermediateSize());
        putHeads();
        number("attention.layer_norm_rms_epsilon", config.normEpsilon());
        putHeadSize();
        putFileType();
        config.traits().attentionCap().ifPresent(cap -> number("attn_logit_softcapping", cap));
        config.traits().logitCap().ifPresent(cap -> number("final_logit_softcapping", cap));
        putWindow();
    }

    private void putGemma3() {
        putCommon();
        config.traits().logitCap().ifPresent(cap -> number("final_logit_softcapping", cap));
        putWindow();
    }

    private void putPhi3() {
        count("context_length", config.maxPositions());
        count(ORIGINAL_POSITIONS, fields.count("original_max_position_embeddings", PHI3_POSITIONS));
        count("embedding_length", config.hiddenSize());
        count("feed_forward_length", config.intermediateSize());
        count("block_count", config.layers());
        putHeads();
        number("attention.layer_norm_rms_epsilon", config.normEpsilon());
        count("rope.dimension_count", config.headSize());
        number("rope.freq_base", rotary().theta());
        putFileType();
        count(GgufArchitecture.WINDOW, window());
    }

    private void putWindow() {
        if (window() > 0) {
            count(GgufArchitecture.WINDOW, window());
        }
    }

    /** The window of the layers that have one; 0 if none has. */
    private int window() {
        return config.layerTraits().stream()
                .flatMapToInt(layer -> layer.window().stream())
                .findFirst()
                .orElse(0);
    }

    private void count(String name, long value) {
        entries.count(architecture.key(name), value);
    }

    private void number(String name, double value) {
        entries.number(architecture.key(name), value);
    }

    private void text(String name, String value) {
        entries.text(architecture.key(name), value);
    }
}
