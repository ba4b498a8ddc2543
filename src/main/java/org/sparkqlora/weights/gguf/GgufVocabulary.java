package org.sparkqlora.weights.gguf;

import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.sparkqlora.weights.InvalidWeightsException;

/**
 * The tokenizer in a GGUF file: byte-level BPE.
 *
 * @param split how text is cut before merging
 * @param tokens by id
 * @param kinds what each token is, as the file numbers it
 * @param merges in order of priority, two tokens with a blank between
 */
record GgufVocabulary(
        GgufMetadata metadata, GgufSplit split, List<String> tokens, List<Long> kinds, List<String> merges) {
    /** A token that marks structure and is never typed. */
    static final long CONTROL = 3;

    /** A token that its author added whole. */
    static final long USER_DEFINED = 4;

    private static final String PREFIX = "tokenizer.ggml.";
    private static final String BYTE_LEVEL = "gpt2";

    GgufVocabulary {
        tokens = List.copyOf(tokens);
        kinds = List.copyOf(kinds);
        merges = List.copyOf(merges);
    }

    static GgufVocabulary of(GgufMetadata metadata) {
        String model = metadata.text(PREFIX + "model");
        if (!model.equals(BYTE_LEVEL)) {
            throw new InvalidWeightsException(
                    "Unsupported tokenizer %s in %s: expected %s (byte-level BPE). Use the model's Hugging Face folder"
                            .formatted(model, metadata.file(), BYTE_LEVEL));
        }

        List<String> tokens = metadata.texts(PREFIX + "tokens");
        requireDistinct(metadata, tokens);
        List<Long> kinds = metadata.numbers(PREFIX + "token_type");
        if (kinds.size() != tokens.size()) {
            throw metadata.wrong(PREFIX + "token_type", "a kind for each of the %d tokens".formatted(tokens.size()));
        }

        return new GgufVocabulary(
                metadata, GgufSplit.of(metadata, PREFIX + "pre"), tokens, kinds, metadata.texts(PREFIX + "merges"));
    }

    /** The token in the role {@code name}, such as {@code bos}. */
    Optional<String> special(String name) {
        String key = PREFIX + name + "_token_id";
        OptionalInt id = metadata.optionalInt(key);
        if (id.isEmpty()) {
            return Optional.empty();
        }

        if (id.getAsInt() >= tokens.size()) {
            throw metadata.wrong(key, "the id of one of %d tokens".formatted(tokens.size()));
        }

        return Optional.of(tokens.get(id.getAsInt()));
    }

    /** The token that begins every text, if the file asks for one. */
    Optional<String> leading() {
        return metadata.flag(PREFIX + "add_bos_token") ? special("bos") : Optional.empty();
    }

    Optional<String> chatTemplate() {
        return metadata.optionalText("tokenizer.chat_template");
    }

    private static void requireDistinct(GgufMetadata metadata, List<String> tokens) {
        Set<String> seen = new HashSet<>();
        for (int id = 0; id < tokens.size(); id++) {
            if (!seen.add(tokens.get(id))) {
                throw new InvalidWeightsException("Cannot read %s: expected each token once, found '%s' again as id %d"
                        .formatted(metadata.file(), tokens.get(id), id));
            }
        }
    }
}
