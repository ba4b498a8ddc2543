package org.sparkqlora.weights.gguf;

import java.util.Arrays;
import java.util.List;
import org.sparkqlora.weights.safetensors.InvalidWeightsException;

/** The splitting of text into pieces before byte pairs are merged. */
enum GgufSplit {
    /** By GPT-2's expression, which byte-level tokenizers have built in. */
    GPT2(List.of("gpt-2", "default")),
    /** Each digit alone, then as GPT-2. */
    DIGITS(List.of("smollm")),
    /** Up to three digits together; whole words that the vocabulary has are not merged anew. */
    LLAMA3(List.of("llama-bpe", "llama3", "llama-v3")),
    /** Each digit alone, by an expression of its own. */
    QWEN2(List.of("qwen2"));

    private static final String EXPRESSION =
            "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|%s| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

    private final List<String> names;

    GgufSplit(List<String> names) {
        this.names = names;
    }

    static GgufSplit of(GgufMetadata metadata, String key) {
        String found = metadata.optionalText(key).orElse("default");
        return Arrays.stream(values())
                .filter(split -> split.names.contains(found))
                .findFirst()
                .orElseThrow(() -> new InvalidWeightsException(
                        "Unsupported pre-tokenizer %s in %s: expected one of %s. Use the model's Hugging Face folder"
                                .formatted(
                                        found,
                                        metadata.file(),
                                        Arrays.stream(values())
                                                .flatMap(split -> split.names.stream())
                                                .toList())));
    }

    /** llama.cpp's name. */
    String label() {
        return names.get(0);
    }

    /** Whether a word that the vocabulary has whole is taken as it is, without merges. */
    boolean keepsWholeWords() {
        return this == LLAMA3;
    }

    /** Whether a text begins with BOS where the file does not say. */
    boolean beginsUnasked() {
        return this == LLAMA3;
    }

    /** The expression to split by, or an empty text for GPT-2's own. */
    String expression() {
        return switch (this) {
            case GPT2, DIGITS -> "";
            case LLAMA3 -> EXPRESSION.formatted("\\p{N}{1,3}");
            case QWEN2 -> EXPRESSION.formatted("\\p{N}");
        };
    }
}
