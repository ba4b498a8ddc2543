package org.sparkqlora.weights.gguf;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Objects;
import java.util.Optional;
import org.sparkqlora.storage.Sha256;
import org.sparkqlora.tokenizer.ModelTokenizer;

/**
 * llama.cpp's names of pre-tokenizers. It tells byte-level tokenizers apart by the ids that each gives for one text full of
 * numbers, blanks and scripts.
 */
final class GgufPreTokenizer {
    private GgufPreTokenizer() {}

    /** The name, if llama.cpp's converter knows the tokenizer. */
    static Optional<String> of(ModelTokenizer tokenizer) {
        String hash = hash(tokenizer);
        return resource("pre-tokenizers.txt")
                .lines()
                .filter(line -> line.startsWith(hash))
                .map(line -> line.substring(hash.length() + 1))
                .findFirst();
    }

    /** SHA-256 of the ids as Python prints a list of them, in hex digits. */
    static String hash(ModelTokenizer tokenizer) {
        String ids = Arrays.toString(tokenizer.encode(resource("pre-tokenizer-text.txt")));
        return Sha256.hex(ids.getBytes(StandardCharsets.UTF_8));
    }

    private static String resource(String name) {
        try (InputStream in = Objects.requireNonNull(GgufPreTokenizer.class.getResourceAsStream(name), name)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to read the resource " + name, e);
        }
    }
}
