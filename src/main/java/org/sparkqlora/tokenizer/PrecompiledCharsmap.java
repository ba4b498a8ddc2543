package org.sparkqlora.tokenizer;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.IntBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;

/**
 * SentencePiece's table of the characters that a normalizer replaces: a trie as a double array (Darts), and the replacements, each
 * with a zero behind. The native library follows its offsets without looking where they lead.
 */
record PrecompiledCharsmap(IntBuffer trie, ByteBuffer replacements) {
    private static final int VALUE = (1 << 31) - 1;

    /** Whether any text can be looked up in {@code base64}. */
    static boolean isUsable(String base64) {
        try {
            byte[] bytes = Base64.getDecoder().decode(base64);
            return Base64.getEncoder().encodeToString(bytes).equals(base64) && isUsable(ByteBuffer.wrap(bytes));
        } catch (IllegalArgumentException | CharacterCodingException e) {
            return false;
        }
    }

    private static boolean isUsable(ByteBuffer bytes) throws CharacterCodingException {
        bytes.order(ByteOrder.LITTLE_ENDIAN);
        if (bytes.remaining() < Integer.BYTES) {
            return false;
        }

        int size = bytes.getInt() & -Integer.BYTES;
        if (size <= 0 || size > bytes.remaining()) {
            return false;
        }

        IntBuffer trie =
                bytes.slice(Integer.BYTES, size).order(ByteOrder.LITTLE_ENDIAN).asIntBuffer();
        ByteBuffer replacements = bytes.slice(Integer.BYTES + size, bytes.remaining() - size);
        StandardCharsets.UTF_8.newDecoder().decode(replacements.duplicate());
        return new PrecompiledCharsmap(trie, replacements).leadsNowhereElse();
    }

    private boolean leadsNowhereElse() {
        for (int i = 0; i < trie.limit(); i++) {
            if (trie.get(i) >= 0 && !leadsInside(i, trie.get(i))) {
                return false;
            }
        }

        return true;
    }

    /** Whether all children of the unit at {@code place} and its replacement are there. */
    private boolean leadsInside(int place, int unit) {
        int offset = (unit >>> 10) << ((unit & (1 << 9)) >>> 6);
        int children = place ^ offset;
        if (children < 0 || (children | 0xFF) >= trie.limit()) {
            return false;
        }

        boolean replaced = (unit >>> 8 & 1) == 1;
        return !replaced || isStart(trie.get(children) & VALUE);
    }

    /** A text begins only where a character does. */
    private boolean isStart(int index) {
        return index < replacements.limit() && (replacements.get(index) & 0xC0) != 0x80;
    }
}
