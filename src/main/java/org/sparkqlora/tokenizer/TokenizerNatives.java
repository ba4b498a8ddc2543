package org.sparkqlora.tokenizer;

import ai.djl.engine.EngineException;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.storage.UserCache;

/**
 * The way into the tokenizers' native library.
 *
 * <p>The library lies in our jar and is unpacked to {@code DJL_CACHE_DIR} (an environment variable or a system property), else to a
 * private folder of this user: DJL by itself would turn to one that all users share, and load what it finds there.
 */
final class TokenizerNatives {
    private static final String OFFLINE = "ai.djl.offline";
    private static final String NO_TELEMETRY = "OPT_OUT_TRACKING";
    private static final String CACHE = "DJL_CACHE_DIR";

    /** The folder into which JNA, with which DJL looks for CUDA, unpacks its library. */
    private static final String JNA_FOLDER = "jna.tmpdir";

    private static final Map<String, String> OPTIONS =
            Map.of("addSpecialTokens", "true", "truncation", "false", "padding", "false");

    private TokenizerNatives() {}

    /** Reads a tokenizer. */
    private interface Loading {
        HuggingFaceTokenizer load() throws IOException;
    }

    /** Loads {@code file}, and the native library with the first one. */
    static HuggingFaceTokenizer open(Path file) {
        return open(file, () -> HuggingFaceTokenizer.newInstance(file, OPTIONS));
    }

    /** Loads {@code text} in place of what {@code file} holds. */
    static HuggingFaceTokenizer open(Path file, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        return open(file, () -> HuggingFaceTokenizer.newInstance(new ByteArrayInputStream(bytes), OPTIONS));
    }

    private static HuggingFaceTokenizer open(Path file, Loading loading) {
        stayOffline();
        settleCache();
        try {
            return loading.load();
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to read " + file, e);
        } catch (UnsatisfiedLinkError | ExceptionInInitializerError | EngineException e) {
            throw new IllegalStateException(
                    "Failed to load the tokenizers' native library. It is unpacked to DJL_CACHE_DIR, which must be writable, have"
                            + " room and allow execution: " + e.getMessage(),
                    e);
        } catch (RuntimeException e) {
            throw new BadInputException(
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

    /** DJL tells its versions apart by itself; JNA by itself would make a folder named {@code ?} for an account without a home. */
    private static void settleCache() {
        if (System.getenv(CACHE) == null && System.getProperty(CACHE) == null) {
            System.setProperty(CACHE, UserCache.ofProcess().folder("djl").toString());
        }

        if (System.getProperty(JNA_FOLDER) == null) {
            System.setProperty(JNA_FOLDER, UserCache.ofProcess().folder("jna").toString());
        }
    }
}
