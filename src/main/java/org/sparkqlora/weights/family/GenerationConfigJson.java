package org.sparkqlora.weights.family;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.sparkqlora.weights.safetensors.FieldsJson;

/** Reads the tokens that end a text from {@code generation_config.json}; chat models often name them only there. */
public final class GenerationConfigJson {
    private static final String FILE = "generation_config.json";

    private GenerationConfigJson() {}

    /** The end tokens of the model in {@code folder}; none where it has no such file. */
    public static List<Integer> eosIds(Path folder) {
        Path file = folder.resolve(FILE);
        return Files.exists(file) ? FieldsJson.read(file).integers("eos_token_id") : List.of();
    }
}
