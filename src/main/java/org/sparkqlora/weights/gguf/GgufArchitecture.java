package org.sparkqlora.weights.gguf;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.sparkqlora.weights.family.ModelConfig;
import org.sparkqlora.weights.safetensors.InvalidWeightsException;

/**
 * Model families as GGUF names them. Mistral's files say llama, those of OLMo 3 say olmo2 and have windows, and those of Granite 4 say
 * granite. Of models that see images, files hold the text model only.
 */
enum GgufArchitecture {
    LLAMA("llama", "llama", "LlamaForCausalLM"),
    QWEN2("qwen2", "qwen2", "Qwen2ForCausalLM"),
    QWEN3("qwen3", "qwen3", "Qwen3ForCausalLM"),
    GEMMA2("gemma2", "gemma2", "Gemma2ForCausalLM"),
    GEMMA3("gemma3", "gemma3_text", "Gemma3ForCausalLM"),
    GRANITE("granite", "granite", "GraniteForCausalLM"),
    OLMO2("olmo2", "olmo2", "Olmo2ForCausalLM"),
    PHI3("phi3", "phi3", "Phi3ForCausalLM"),
    SMOLLM3("smollm3", "smollm3", "SmolLM3ForCausalLM"),
    MISTRAL3("mistral3", "ministral3", "Ministral3ForCausalLM"),
    OLMO3("olmo2", "olmo3", "Olmo3ForCausalLM"),
    GRANITE4("granite", "granitemoehybrid", "GraniteMoeHybridForCausalLM"),
    QWEN35("qwen35", "qwen3_5_text", "Qwen3_5ForCausalLM"),
    QWEN3_MOE("qwen3moe", "qwen3_moe", "Qwen3MoeForCausalLM"),
    GEMMA4("gemma4", "gemma4_text", "Gemma4ForCausalLM");

    /** Of so many layers the last one attends to all tokens, where nothing else is said. */
    static final int FULL_ATTENTION_INTERVAL = 4;

    /** Tokens that a token sees in layers with a window. */
    static final String WINDOW = "attention.sliding_window";

    /** Types of models that compute as another one does. */
    private static final Map<String, String> ALIASES =
            Map.of("mistral", LLAMA.modelType, "gemma4_unified_text", GEMMA4.modelType);

    private final String label;
    private final String modelType;
    private final String className;

    GgufArchitecture(String label, String modelType, String className) {
        this.label = label;
        this.modelType = modelType;
        this.className = className;
    }

    static GgufArchitecture of(GgufMetadata metadata) {
        String found = metadata.text("general.architecture");
        GgufArchitecture first = Arrays.stream(values())
                .filter(architecture -> architecture.label.equals(found))
                .findFirst()
                .orElseThrow(() -> new InvalidWeightsException(
                        "Unsupported architecture %s in %s: expected one of %s. Use the model's Hugging Face folder"
                                .formatted(found, metadata.file(), names(GgufArchitecture::label))));
        boolean windowed = metadata.optionalInt(first.key(WINDOW)).orElse(0) > 0;
        return first == OLMO2 && windowed ? OLMO3 : first;
    }

    /** That of a model. */
    static GgufArchitecture of(ModelConfig config) {
        String modelType = ALIASES.getOrDefault(config.modelType(), config.modelType());
        return Arrays.stream(values())
                .filter(architecture -> architecture.modelType.equals(modelType))
                .findFirst()
                .orElseThrow(() -> new InvalidWeightsException(
                        "Unsupported model_type %s in GGUF: expected one of %s. Give the folder, or one that merge writes, to convert_hf_to_gguf.py of llama.cpp"
                                .formatted(config.modelType(), names(GgufArchitecture::modelType))));
    }

    private static List<String> names(Function<GgufArchitecture, String> name) {
        return Arrays.stream(values()).map(name).distinct().toList();
    }

    /** The full name of its key {@code name} in the metadata. */
    String key(String name) {
        return label + "." + name;
    }

    /** The model type in {@code config.json}. */
    String modelType() {
        return modelType;
    }

    /** Its name in files. */
    String label() {
        return label;
    }

    /** Class that loads it in transformers. */
    String className() {
        return className;
    }

    /** Whether the two halves of a head's rows in q and k are interleaved, as ggml's first way of rotation wants them. */
    boolean interleavesHeads() {
        return switch (this) {
            case LLAMA, GRANITE, GRANITE4, SMOLLM3, MISTRAL3 -> true;
            case QWEN2, QWEN3, QWEN3_MOE, QWEN35, GEMMA2, GEMMA3, GEMMA4, OLMO2, OLMO3, PHI3 -> false;
        };
    }

    boolean isGemma() {
        return this == GEMMA2 || this == GEMMA3;
    }

    boolean isOlmo() {
        return this == OLMO2 || this == OLMO3;
    }

    /** Whether Hugging Face counts the weights of its norms from 0, and GGUF from 1. */
    boolean shiftsNorms() {
        return isGemma() || this == QWEN35;
    }

    @Override
    public String toString() {
        return label;
    }
}
