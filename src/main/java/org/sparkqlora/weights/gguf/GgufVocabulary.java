package org.sparkqlora.weights.gguf;

import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.sparkqlora.input.InputLimits;
import org.sparkqlora.weights.safetensors.InvalidWeightsException;

/**
 * The tokenizer in a GGUF file.
 *
 * @param encoding how text becomes tokens
 * @param tokens by id
 * @param kinds what each token is, as the file numbers it
 */
record GgufVocabulary(GgufMetadata metadata, GgufEncodingJson encoding, List<String> tokens, List<Long> kinds) {
    static final String PREFIX = "tokenizer.ggml.";

    /** A piece of text. */
    static final long NORMAL = 1;

    /** A token that marks structure and is never typed. */
    static final long CONTROL = 3;

    /** A token that its author added whole. */
    static final long USER_DEFINED = 4;

    /** A place without a token. */
    static final int UNUSED = 5;

    /** A byte of what no piece has. */
    static final int BYTE = 6;

    /** What stands for the unknown. */
    static final int UNKNOWN = 2;

    static final String BYTE_LEVEL = "gpt2";
    static final String SENTENCE_PIECE = "llama";
    static final String GEMMA4 = "gemma4";

    GgufVocabulary {
        tokens = List.copyOf(tokens);
        kinds = List.copyOf(kinds);
    }

    static GgufVocabulary of(GgufMetadata metadata) {
        String model = metadata.text(PREFIX + "model");
        List<String> tokens = metadata.texts(PREFIX + "tokens");
        requireShort(metadata, tokens);
        requireDistinct(metadata, tokens);
        List<Long> kinds = metadata.numbers(PREFIX + "token_type");
        if (kinds.size() != tokens.size()) {
            throw metadata.wrong(
                    PREFIX + "token_type",
                    String.format(Locale.ROOT, "a kind for each of the %d tokens", tokens.size()));
        }

        return switch (model) {
            case BYTE_LEVEL -> {
                GgufSplit split = GgufSplit.of(metadata, PREFIX + "pre");
                GgufEncodingJson encoding = new ByteLevelEncodingJson(split, metadata.texts(PREFIX + "merges"));
                yield new GgufVocabulary(metadata, encoding, tokens, kinds);
            }
            case GEMMA4 -> {
                List<PieceMerge> merges = PieceMerge.listed(metadata, PREFIX + "merges");
                yield new GgufVocabulary(metadata, new SentencePieceEncodingJson(merges, false), tokens, kinds);
            }
            case SENTENCE_PIECE -> new SentencePieces(metadata, tokens, kinds).vocabulary();
            default ->
                throw new InvalidWeightsException(
                        "Unsupported tokenizer %s in %s: expected %s (byte-level BPE), %s (SentencePiece BPE) or %s. Use the model's Hugging Face folder"
                                .formatted(model, metadata.file(), BYTE_LEVEL, SENTENCE_PIECE, GEMMA4));
        };
    }

    /** The file's name for this kind of tokenizer. */
    String kind() {
        return metadata.text(PREFIX + "model");
    }

    /** The token in the role {@code name}, such as {@code bos}. */
    Optional<String> special(String name) {
        String key = PREFIX + name + "_token_id";
        OptionalInt id = metadata.optionalInt(key);
        if (id.isEmpty()) {
            return Optional.empty();
        }

        if (id.getAsInt() >= tokens.size()) {
            throw metadata.wrong(key, String.format(Locale.ROOT, "the id of one of %d tokens", tokens.size()));
        }

        return Optional.of(tokens.get(id.getAsInt()));
    }

    /** The token for what cannot be written in the others; byte-level tokenizers need none. */
    Optional<String> unknown() {
        return encoding instanceof SentencePieceEncodingJson ? special("unknown") : Optional.empty();
    }

    /** The token that begins every text, if the file asks for one. */
    Optional<String> leading() {
        return metadata.flag(PREFIX + "add_bos_token", encoding.beginsUnasked()) ? special("bos") : Optional.empty();
    }

    /** The token that ends every text, if the file asks for one. */
    Optional<String> trailing() {
        return metadata.flag(PREFIX + "add_eos_token", false) ? special("eos") : Optional.empty();
    }

    Optional<String> chatTemplate() {
        return metadata.optionalText("tokenizer.chat_template");
    }

    /** A piece is cut at every place to find the merges that make it. */
    private static void requireShort(GgufMetadata metadata, List<String> tokens) {
        int most = InputLimits.DEFAULT.ggufPieceLength();
        for (int id = 0; id < tokens.size(); id++) {
            if (tokens.get(id).length() > most) {
                throw new InvalidWeightsException(
                        "Cannot read %s: expected tokens of at most %d characters, found %d in id %d"
                                .formatted(metadata.file(), most, tokens.get(id).length(), id));
            }
        }
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
