package org.sparkqlora.tokenizer;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Map;

/**
 * The way into the tokenizers' native library.
 *
 * <p>The library lies in our jar and is unpacked to {@code DJL_CACHE_DIR} (an environment variable or a system property), else
 * to the home folder, else, where that cannot be written, to {@code java.io.tmpdir}.
 */
final class TokenizerNatives {
    private static final String OFFLINE = "ai.djl.offline";
    private static final String NO_TELEMETRY = "OPT_OUT_TRACKING";

    private static final Map<String, String> OPTIONS =
            Map.of("addSpecialTokens", "true", "truncation", "false", "padding", "false");

    private TokenizerNatives() {}

    /** Loads {@code file}, and the native library with the first one. */
    static HuggingFaceTokenizer open(Path file) {
        stayOffline();
        try {
            return HuggingFaceTokenizer.newInstance(file, OPTIONS);
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to read " + file, e);
        } catch (UnsatisfiedLinkError | ExceptionInInitializerError e) {
            throw new IllegalStateException(
                    "Failed to load the tokenizers' native library. It is unpacked to DJL_CACHE_DIR, which must be writable and"
                            + " allow execution: " + e.getMessage(),
                    e);
        } catch (RuntimeException e) {
            throw new IllegalArgumentException(
                    "Cannot open %s: expected a Hugging Face tokenizer, found an error: %s"
                            .formatted(file, e.getMessage()),
                    e);
        }
    }

    /** Without this, a machine with CUDA downloads a flavour of the library for it, and the library calls home. */
    private static void stayOffline() {
        System.setProperty(OFFLINE, "true");
        System.setProperty(NO_TELEMETRY, "true");
    }
}
