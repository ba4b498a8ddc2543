package org.sparkqlora.weights.gguf;

import java.util.Arrays;
import org.sparkqlora.weights.InvalidWeightsException;

/** Model families as GGUF names them, which are Hugging Face's names too. */
enum GgufArchitecture {
    LLAMA("llama", "LlamaForCausalLM"),
    QWEN2("qwen2", "Qwen2ForCausalLM"),
    QWEN3("qwen3", "Qwen3ForCausalLM");

    private final String label;
    private final String className;

    GgufArchitecture(String label, String className) {
        this.label = label;
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

    /** The model type in {@code config.json}, and the prefix of its keys in the metadata. */
    String label() {
        return label;
    }

    /** Class that loads it in transformers. */
    String className() {
        return className;
    }

    /** Whether the two halves of a head's rows in q and k are interleaved, as ggml's rotation wants them. */
    boolean interleavesHeads() {
        return this == LLAMA;
    }

    @Override
    public String toString() {
        return label;
    }
}
