package org.sparkqlora.weights.gguf;

import java.util.Arrays;
import org.sparkqlora.weights.family.ModelConfig;
import org.sparkqlora.weights.safetensors.InvalidWeightsException;

/** Model families as GGUF names them. Mistral's files say llama, and Gemma 3's hold its text model only. */
enum GgufArchitecture {
    LLAMA("llama", "llama", "LlamaForCausalLM"),
    QWEN2("qwen2", "qwen2", "Qwen2ForCausalLM"),
    QWEN3("qwen3", "qwen3", "Qwen3ForCausalLM"),
    GEMMA2("gemma2", "gemma2", "Gemma2ForCausalLM"),
    GEMMA3("gemma3", "gemma3_text", "Gemma3ForCausalLM"),
    GRANITE("granite", "granite", "GraniteForCausalLM"),
    OLMO2("olmo2", "olmo2", "Olmo2ForCausalLM"),
    PHI3("phi3", "phi3", "Phi3ForCausalLM"),
    SMOLLM3("smollm3", "smollm3", "SmolLM3ForCausalLM");

    private static final String MISTRAL = "mistral";

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
        return Arrays.stream(values())
                .filter(architecture -> architecture.label.equals(found))
                .findFirst()
                .orElseThrow(() -> new InvalidWeightsException("Unsupported architecture %s in %s: expected one of %s"
                        .formatted(found, metadata.file(), Arrays.toString(values()))));
    }

    /** That of a model. */
    static GgufArchitecture of(ModelConfig config) {
        String modelType = config.modelType().equals(MISTRAL) ? LLAMA.modelType : config.modelType();
        return Arrays.stream(values())
                .filter(architecture -> architecture.modelType.equals(modelType))
                .findFirst()
                .orElseThrow(() -> new InvalidWeightsException("Unsupported model_type %s in GGUF: expected one of %s"
                        .formatted(config.modelType(), Arrays.toString(values()))));
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
            case LLAMA, GRANITE, SMOLLM3 -> true;
            case QWEN2, QWEN3, GEMMA2, GEMMA3, OLMO2, PHI3 -> false;
        };
    }

    /** Whether it is one of Gemma's: Hugging Face counts the weights of its norms from 0, GGUF from 1. */
    boolean isGemma() {
        return this == GEMMA2 || this == GEMMA3;
    }

    @Override
    public String toString() {
        return label;
    }
}
