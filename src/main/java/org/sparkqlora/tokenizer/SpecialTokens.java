package org.sparkqlora.tokenizer;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Tokens with a role, by the role's name in Hugging Face files.
 *
 * @param texts for example {@code bos_token -> <s>}
 */
record SpecialTokens(Map<String, String> texts) {
    static final String BOS = "bos_token";
    static final String EOS = "eos_token";
    static final String PAD = "pad_token";

    SpecialTokens {
        texts = Collections.unmodifiableMap(new LinkedHashMap<>(texts));
    }

    Optional<String> text(String role) {
        return Optional.ofNullable(texts.get(role));
    }
}
