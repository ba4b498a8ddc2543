package org.sparkqlora.checkpoint;

import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.List;
import org.sparkqlora.model.layout.ParameterIndex;
import org.sparkqlora.weights.safetensors.SafetensorsFile;

/** Adapters that PEFT wrote. */
final class PeftAdapters {
    static final List<String> NAMES = List.of(
            "llama-tied",
            "llama-rope3-bf16",
            "llama-sharded",
            "mistral-window",
            "qwen2-bias",
            "qwen3-qknorm",
            "qwen3_moe",
            "qwen3_moe-experts",
            "qwen3_moe-down",
            "saved-untied",
            "saved-apart",
            "llama-tied/variants/rslora",
            "llama-tied/variants/dora",
            "llama-tied/variants/qv",
            "llama-tied/variants/patterns");

    private PeftAdapters() {}

    static Path path(String name) {
        return models().resolve(name).resolve("adapter");
    }

    static Path models() {
        try {
            return Path.of(PeftAdapters.class.getResource("/goldens/models").toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException("Cannot find the reference models", e);
        }
    }

    /** The tensors of an adapter, in an order that is not the file's. */
    static ParameterIndex index(String name) {
        SafetensorsFile file = SafetensorsFile.open(path(name).resolve("adapter_model.safetensors"));
        ParameterIndex.Builder index = ParameterIndex.builder();
        file.names().stream()
                .sorted((a, b) -> new StringBuilder(a).reverse().compareTo(new StringBuilder(b).reverse()))
                .forEach(tensor -> index.add(tensor, file.tensor(tensor).shape()));
        return index.build();
    }
}
