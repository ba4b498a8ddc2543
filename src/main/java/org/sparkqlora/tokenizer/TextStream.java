package org.sparkqlora.tokenizer;

import java.util.Arrays;

/**
 * Text from ids that come one by one, in whole characters: a character whose bytes lie in several tokens appears with the last of them.
 *
 * <p>A token may be written differently at the start of a text than behind others, so each is decoded together with the tokens of
 * the last piece, and only what it adds is given out.
 */
public final class TextStream {
    /** The replacement character, which a decoder writes for bytes that are no character, or not yet. */
    private static final String INCOMPLETE = "\uFFFD";

    private final ModelTokenizer tokenizer;
    private int[] ids = {};
    private int context;
    private int given;

    public TextStream(ModelTokenizer tokenizer) {
        this.tokenizer = tokenizer;
    }

    /** The text that {@code id} adds; empty while a character is incomplete. */
    public String add(int id) {
        ids = Arrays.copyOf(ids, ids.length + 1);
        ids[ids.length - 1] = id;
        String added = added();
        if (added.isEmpty() || added.endsWith(INCOMPLETE)) {
            return "";
        }

        context = given;
        given = ids.length;
        return added;
    }

    /** The remaining text: bytes that never became a character. */
    public String end() {
        String added = added();
        given = ids.length;
        return added;
    }

    private String added() {
        String before = tokenizer.decode(Arrays.copyOfRange(ids, context, given));
        String after = tokenizer.decode(Arrays.copyOfRange(ids, context, ids.length));
        return after.length() > before.length() ? after.substring(before.length()) : "";
    }
}
