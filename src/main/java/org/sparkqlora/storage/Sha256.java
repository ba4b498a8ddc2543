package org.sparkqlora.storage;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** SHA-256, which every Java has. */
public final class Sha256 {
    private Sha256() {}

    public static MessageDigest digest() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Cannot hash: this Java has no SHA-256", e);
        }
    }

    public static byte[] of(byte[] content) {
        return digest().digest(content);
    }

    /** Ends {@code digest} and gives its result in hex digits. */
    public static String hex(MessageDigest digest) {
        return HexFormat.of().formatHex(digest.digest());
    }

    /** The first 16 hex digits of that of {@code text}, to name what it stands for. */
    public static String shortHex(String text) {
        return hex(text.getBytes(StandardCharsets.UTF_8)).substring(0, 16);
    }

    public static String hex(byte[] content) {
        return HexFormat.of().formatHex(of(content));
    }
}
