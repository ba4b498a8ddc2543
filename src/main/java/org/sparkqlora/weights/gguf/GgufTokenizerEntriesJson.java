package org.sparkqlora.weights.gguf;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.sparkqlora.tokenizer.ModelTokenizer;
import org.sparkqlora.weights.family.ModelConfig;
import org.sparkqlora.weights.safetensors.InvalidWeightsException;

/** Puts a tokenizer into metadata, the inverse of {@link GgufTokenizerJson}: keys and order of llama.cpp's converter. */
final class GgufTokenizerEntriesJson {
    private static final Pattern BYTE_TOKEN = Pattern.compile("<0x[0-9A-Fa-f]{2}>");

    /** Vocabulary of the small Granite models, which begin no text with BOS. */
    private static final int GRANITE_VOCABULARY = 49152;

    private static final Set<String> GEMMA4_SHOWN = Set.of(
            "<|channel>",
            "<channel|>",
            "<|tool_call>",
            "<tool_call|>",
            "<|tool_response>",
            "<tool_response|>",
            "<|\"|>");

    private final GgufEntries entries;
    private final TokenizerSourceJson source;
    private final ModelConfig config;
    private final GgufArchitecture architecture;
    private final Optional<String> splitName;

    /** @param splitName llama.cpp's name of the pre-tokenizer; empty to find it */
    GgufTokenizerEntriesJson(
            GgufEntries entries, TokenizerSourceJson source, ModelConfig config, Optional<String> splitName) {
        this.entries = entries;
        this.source = source;
        this.config = config;
        this.architecture = GgufArchitecture.of(config);
        this.splitName = splitName;
    }

    void put() {
        boolean ofLlama = switch (architecture) {
            case LLAMA, GRANITE, SMOLLM3, MISTRAL3 -> true;
            case QWEN2, QWEN3, QWEN3_MOE, QWEN35, GEMMA2, GEMMA3, GEMMA4, GRANITE4, OLMO2, OLMO3, PHI3 -> false;
        };
        JsonNode prefix = source.config().path("add_prefix_space");
        if (ofLlama && prefix.isBoolean()) {
            entries.flag(key("add_space_prefix"), prefix.asBoolean());
        }

        if (architecture == GgufArchitecture.GEMMA4) {
            putGemma4();
        } else if (isSentencePiece()) {
            putSentencePieces();
        } else {
            putBytePairs();
        }

        if (ofLlama && config.vocabularySize() == GRANITE_VOCABULARY) {
            entries.flag(key("add_bos_token"), false);
        }

        if (architecture.isGemma()) {
            entries.flag(key("add_space_prefix"), false);
        }
    }

    /** Byte-pair encoding over characters, of which a file has merges and no scores. */
    private void putGemma4() {
        if (!source.isBytePairs() || !source.fallsBackToBytes()) {
            throw new InvalidWeightsException(
                    "Cannot export the tokenizer of %s: expected byte-pair encoding with byte_fallback in tokenizer.json, found %s"
                            .formatted(
                                    source.folder(), source.model().path("type").asText("none")));
        }

        GgufTokens tokens = gemma4Tokens();
        entries.text(key("model"), GgufVocabulary.GEMMA4);
        entries.texts(key("tokens"), tokens.texts());
        entries.numbers(key("scores"), tokens.scores());
        entries.integers(key("token_type"), tokens.kinds());
        entries.texts(key("merges"), source.merges().stream().map(this::merge).toList());
        new GgufSpecialsJson(entries, source, Integer.MAX_VALUE).put();
        entries.flag(key("add_space_prefix"), false);
        entries.flag(key("add_bos_token"), true);
    }

    /** Control tokens are those that have a role; those of calls and channels are shown, so that servers can tell them apart. */
    private GgufTokens gemma4Tokens() {
        GgufTokens tokens = new GgufTokens(config.vocabularySize());
        Map<String, Integer> pieces = source.vocabulary();
        Set<String> roles = source.roles();
        pieces.forEach((text, id) -> {
            long otherwise = BYTE_TOKEN.matcher(text).matches() ? GgufVocabulary.BYTE : GgufVocabulary.NORMAL;
            tokens.put(id, text, kindOf(text, roles, otherwise), GgufTokens.ADDED_SCORE);
        });
        source.added().stream()
                .filter(token -> !pieces.containsKey(token.content()))
                .forEach(token -> tokens.put(
                        token.id(),
                        token.content(),
                        kindOf(token.content(), roles, GgufVocabulary.USER_DEFINED),
                        GgufTokens.ADDED_SCORE));
        return tokens;
    }

    private static long kindOf(String text, Set<String> roles, long otherwise) {
        if (GEMMA4_SHOWN.contains(text)) {
            return GgufVocabulary.USER_DEFINED;
        }

        return roles.contains(text) ? GgufVocabulary.CONTROL : otherwise;
    }

    private boolean isSentencePiece() {
        return source.sentencePieces().isPresent() || source.isBytePairs() && source.fallsBackToBytes();
    }

    private void putSentencePieces() {
        GgufTokens tokens = source.sentencePieces().isPresent() ? storedPieces() : derivedPieces();
        entries.text(key("model"), GgufVocabulary.SENTENCE_PIECE);
        entries.text(key("pre"), "default");
        entries.texts(key("tokens"), tokens.texts());
        entries.numbers(key("scores"), tokens.scores());
        entries.integers(key("token_type"), tokens.kinds());
        new GgufSpecialsJson(entries, source, tokens.texts().size()).put();
    }

    private GgufTokens storedPieces() {
        GgufTokens tokens = new GgufTokens(config.vocabularySize());
        List<SentencePieceFile.Piece> pieces =
                SentencePieceFile.read(source.sentencePieces().orElseThrow());
        for (int id = 0; id < pieces.size(); id++) {
            SentencePieceFile.Piece piece = pieces.get(id);
            long kind = piece.type() == GgufVocabulary.USER_DEFINED ? GgufVocabulary.NORMAL : piece.type();
            tokens.put(id, piece.text(), kind, piece.score());
        }

        if (architecture == GgufArchitecture.PHI3) {
            source.slowAdded().forEach(tokens::putAsMarked);
            source.added().forEach(tokens::putAsMarked);
            return tokens;
        }

        source.slowAdded().forEach(tokens::putAdded);
        source.added().stream().filter(token -> tokens.isUnused(token.id())).forEach(tokens::putAdded);
        return tokens;
    }

    /** The pieces of a {@code tokenizer.json}, which has no scores: a piece's score is the place of the first merge that makes it. */
    private GgufTokens derivedPieces() {
        Map<String, Float> ranks = new HashMap<>();
        List<List<String>> merges = source.merges();
        for (int rank = 0; rank < merges.size(); rank++) {
            ranks.putIfAbsent(String.join("", merges.get(rank)), (float) -rank);
        }

        GgufTokens tokens = new GgufTokens(config.vocabularySize());
        float last = -merges.size();
        source.vocabulary()
                .forEach((text, id) -> tokens.put(
                        id,
                        text,
                        BYTE_TOKEN.matcher(text).matches() ? GgufVocabulary.BYTE : GgufVocabulary.NORMAL,
                        ranks.getOrDefault(text, last)));
        source.added().forEach(tokens::putAdded);
        return tokens;
    }

    private void putBytePairs() {
        if (!source.isBytePairs()) {
            throw new InvalidWeightsException(
                    "Cannot export the tokenizer of %s: expected byte-pair encoding in tokenizer.json or a tokenizer.model, found %s"
                            .formatted(
                                    source.folder(), source.model().path("type").asText("neither")));
        }

        entries.text(key("model"), GgufVocabulary.BYTE_LEVEL);
        entries.text(key("pre"), splitName.orElseGet(this::splitName));
        GgufTokens tokens = bytePairs();
        entries.texts(key("tokens"), tokens.texts());
        entries.integers(key("token_type"), tokens.kinds());
        entries.texts(key("merges"), source.merges().stream().map(this::merge).toList());
        new GgufSpecialsJson(entries, source, Integer.MAX_VALUE).put();
    }

    private GgufTokens bytePairs() {
        GgufTokens tokens = new GgufTokens(config.vocabularySize());
        source.vocabulary().forEach((text, id) -> tokens.put(id, text, GgufVocabulary.NORMAL, 0));
        source.added().forEach(tokens::putAdded);
        return tokens;
    }

    /** Two tokens with a blank between; blanks in them are written as byte-level encoding writes them. */
    private String merge(List<String> pair) {
        return pair.get(0).replace(' ', '\u0120') + " " + pair.get(1).replace(' ', '\u0120');
    }

    private String splitName() {
        try (ModelTokenizer tokenizer = ModelTokenizer.open(source.folder())) {
            return GgufPreTokenizer.of(tokenizer)
                    .or(() -> ByteLevelEncodingJson.splitOf(source).map(GgufSplit::label))
                    .orElseThrow(() -> new InvalidWeightsException(
                            "Cannot export the tokenizer of %s: expected a pre-tokenizer that llama.cpp knows, found %s (its test text gives %s). If llama.cpp has a name for it, say --pre-tokenizer NAME"
                                    .formatted(
                                            source.folder(),
                                            source.tokenizer().path("pre_tokenizer"),
                                            GgufPreTokenizer.hash(tokenizer))));
        }
    }

    private static String key(String name) {
        return GgufVocabulary.PREFIX + name;
    }
}
