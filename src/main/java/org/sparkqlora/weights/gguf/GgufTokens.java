package org.sparkqlora.weights.gguf;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** A vocabulary by id, as it is put together: places without a token are called {@code [PADn]} and are unused. */
final class GgufTokens {
    private static final float UNUSED_SCORE = -10_000;

    /** Score of tokens that no merge makes. */
    static final float ADDED_SCORE = -1000;

    private final List<String> texts = new ArrayList<>();
    private final List<Integer> kinds;
    private final List<Float> scores;

    /** @param size rows of the embedding */
    GgufTokens(int size) {
        for (int id = 0; id < size; id++) {
            texts.add("[PAD" + id + "]");
        }

        kinds = new ArrayList<>(Collections.nCopies(size, GgufVocabulary.UNUSED));
        scores = new ArrayList<>(Collections.nCopies(size, UNUSED_SCORE));
    }

    /** Puts a token in its place; one without a row is left out. */
    void put(int id, String text, long kind, float score) {
        if (id < texts.size()) {
            texts.set(id, text);
            kinds.set(id, Math.toIntExact(kind));
            scores.set(id, score);
        }
    }

    /** Puts a token that was added whole: control tokens as they are, others as they are found in a text. */
    void putAdded(TokenizerSourceJson.Added token) {
        boolean control = token.special() || looksSpecial(token.content());
        String text = control ? token.content() : token.content().replace(SentencePieceEncodingJson.BLANK, " ");
        put(token.id(), text, control ? GgufVocabulary.CONTROL : GgufVocabulary.USER_DEFINED, ADDED_SCORE);
    }

    /** Puts a token that was added whole by its mark and its text alone. */
    void putAsMarked(TokenizerSourceJson.Added token) {
        long kind = token.special() ? GgufVocabulary.CONTROL : GgufVocabulary.USER_DEFINED;
        put(token.id(), token.content(), kind, ADDED_SCORE);
    }

    boolean isUnused(int id) {
        return id < kinds.size() && kinds.get(id).equals(GgufVocabulary.UNUSED);
    }

    List<String> texts() {
        return texts;
    }

    List<Integer> kinds() {
        return kinds;
    }

    List<Float> scores() {
        return scores;
    }

    /** Some models do not mark all their control tokens. */
    private static boolean looksSpecial(String text) {
        return List.of("<pad>", "<mask>", "<2mass>", "[@BOS@]").contains(text)
                || text.startsWith("<|") && text.endsWith("|>")
                || text.startsWith("<\uff5c") && text.endsWith("\uff5c>")
                || text.startsWith("<unused") && text.endsWith(">");
    }
}
