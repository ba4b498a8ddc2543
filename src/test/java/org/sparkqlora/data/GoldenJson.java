package org.sparkqlora.data;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/** Reference files in the test resources. */
public final class GoldenJson {
    private GoldenJson() {}

    /** The JSON at {@code goldens/path}. */
    public static JsonNode read(String path) {
        try {
            return JsonMapper.builder().build().readTree(text(path));
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to read golden " + path, e);
        }
    }

    /** The text at {@code goldens/path}. */
    public static String text(String path) {
        try (InputStream input = GoldenJson.class.getResourceAsStream("/goldens/" + path)) {
            return new String(input.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to read golden " + path, e);
        }
    }
}
