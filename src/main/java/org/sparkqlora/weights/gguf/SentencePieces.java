package org.sparkqlora.weights.gguf;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/** Reads a vocabulary of SentencePiece: pieces with scores, of which the merges are to be found. */
final class SentencePieces {
    private static final String SCORES = GgufVocabulary.PREFIX + "scores";
    private static final String MERGES = GgufVocabulary.PREFIX + "merges";

    private final GgufMetadata metadata;
    private final boolean gemma;
    private final List<String> tokens;
    private final List<Long> kinds;

    SentencePieces(GgufMetadata metadata, List<String> tokens, List<Long> kinds) {
        this.metadata = metadata;
        this.gemma = metadata.text("general.architecture").startsWith("gemma");
        this.tokens = new ArrayList<>(tokens);
        this.kinds = new ArrayList<>(kinds);
    }

    GgufVocabulary vocabulary() {
        respellBlanks();
        boolean prefix = metadata.flag(GgufVocabulary.PREFIX + "add_space_prefix", !gemma);
        return new GgufVocabulary(metadata, new SentencePieceEncodingJson(merges(), prefix), tokens, kinds);
    }

    /**
     * Converters write runs of blanks that were added whole as blanks. As pieces they are made by merges, after blanks became
     * {@value SentencePieceEncodingJson#BLANK}.
     */
    private void respellBlanks() {
        for (int id = 0; id < tokens.size(); id++) {
            String token = tokens.get(id);
            if (!token.isEmpty() && token.chars().allMatch(c -> c == ' ')) {
                tokens.set(id, SentencePieceEncodingJson.BLANK.repeat(token.length()));
                kinds.set(id, GgufVocabulary.NORMAL);
            }
        }
    }

    private List<PieceMerge> merges() {
        if (metadata.has(MERGES)) {
            return metadata.texts(MERGES).stream().map(this::merge).toList();
        }

        return PieceMerge.of(tokens, gemma ? places() : scores());
    }

    /** The two pieces of {@code text}, which has a blank between. */
    private PieceMerge merge(String text) {
        int blank = text.indexOf(' ', 1);
        if (blank < 0 || blank == text.length() - 1) {
            throw metadata.wrong(MERGES, "two pieces with a blank between in '%s'".formatted(text));
        }

        return new PieceMerge(text.substring(0, blank), text.substring(blank + 1), 0);
    }

    private double[] scores() {
        List<Float> scores = metadata.floats(SCORES);
        if (scores.size() != tokens.size()) {
            throw metadata.wrong(
                    SCORES, String.format(Locale.ROOT, "a score for each of the %d tokens", tokens.size()));
        }

        return scores.stream().mapToDouble(Float::doubleValue).toArray();
    }

    /** Gemma's scores are not in the order of its merges; its pieces are. */
    private double[] places() {
        return IntStream.range(0, tokens.size()).mapToDouble(id -> -id).toArray();
    }
}
