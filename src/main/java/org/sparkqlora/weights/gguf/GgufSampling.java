package org.sparkqlora.weights.gguf;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.sparkqlora.weights.safetensors.FieldsJson;

/** Puts the sampling that {@code generation_config.json} recommends into metadata. */
final class GgufSampling {
    private static final String FILE = "generation_config.json";

    private final GgufEntries entries;
    private final FieldsJson fields;

    private GgufSampling(GgufEntries entries, FieldsJson fields) {
        this.entries = entries;
        this.fields = fields;
    }

    static void put(GgufEntries entries, Path folder) {
        Path file = folder.resolve(FILE);
        if (!Files.isRegularFile(file)) {
            return;
        }

        try {
            new GgufSampling(entries, FieldsJson.read(file)).put();
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to read " + file, e);
        }
    }

    private void put() {
        if (fields.has("top_k")) {
            entries.integer("general.sampling.top_k", fields.integer("top_k"));
        }

        number("top_p", "top_p");
        number("min_p", "min_p");
        number("temperature", "temp");
        number("repetition_penalty", "penalty_repeat");
    }

    private void number(String field, String key) {
        if (fields.has(field)) {
            entries.number("general.sampling." + key, fields.number(field));
        }
    }
}
