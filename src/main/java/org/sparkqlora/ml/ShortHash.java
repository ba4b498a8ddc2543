package org.sparkqlora.ml;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** Names folders by what they are for. */
final class ShortHash {
    private static final int BYTES = 8;

    private ShortHash() {}

    /** The first 16 hex digits of the SHA-256 of {@code text}. */
    static String of(String text) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest, 0, BYTES);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Cannot find SHA-256 in this Java", e);
        }
    }
}
