package org.sparkqlora;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** JSON as maps and lists: for assertions that do not depend on the order or the layout of the text, and for what processes of tests send. */
public final class JsonValues {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private JsonValues() {}

    public static Map<String, Object> of(String json) {
        try {
            return MAPPER.readValue(json, new TypeReference<>() {});
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("Cannot read as an object of JSON: " + json, e);
        }
    }

    /** The texts of an array. */
    public static List<String> list(String json) {
        try {
            return MAPPER.readValue(json, new TypeReference<>() {});
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("Cannot read as an array of JSON: " + json, e);
        }
    }

    public static Map<String, Object> of(Path file) throws IOException {
        return of(Files.readString(file));
    }

    /** The object with these fields. */
    public static String text(Map<String, ?> fields) {
        try {
            return MAPPER.writeValueAsString(fields);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("Cannot write as JSON: " + fields, e);
        }
    }
}
