package org.sparkqlora.input;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.function.Function;

/** JSON text as a tree. */
public final class TreeJson {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private TreeJson() {}

    /**
     * Reads {@code text}.
     *
     * @param refusal makes what is thrown where that is no JSON
     */
    public static JsonNode read(String text, Function<JsonProcessingException, RuntimeException> refusal) {
        try {
            return MAPPER.readTree(text);
        } catch (JsonProcessingException e) {
            throw refusal.apply(e);
        }
    }
}
