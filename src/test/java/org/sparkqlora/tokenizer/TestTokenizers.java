package org.sparkqlora.tokenizer;

import java.net.URISyntaxException;
import java.nio.file.Path;

/** Small tokenizers of the test resources. */
public final class TestTokenizers {
    private TestTokenizers() {}

    /** Byte-level BPE with ChatML, as SmolLM2's. */
    public static Path bytes() {
        return folder("bytes");
    }

    /** Pieces with byte fallback and a BOS before each text, as Llama 2's. */
    public static Path pieces() {
        return folder("pieces");
    }

    private static Path folder(String name) {
        try {
            return Path.of(TestTokenizers.class
                    .getResource("/goldens/tokenizers/" + name)
                    .toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }
}
