package org.sparkqlora.weights;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The small files of a model folder that go with the weights wherever they are copied: tokenizer, chat template, generation. */
public final class CompanionFiles {
    private static final List<String> NAMES = List.of(
            "tokenizer.json",
            "tokenizer_config.json",
            "special_tokens_map.json",
            "added_tokens.json",
            "chat_template.jinja",
            "chat_template.json",
            "generation_config.json",
            "tokenizer.model",
            "vocab.json",
            "vocab.txt",
            "merges.txt");

    private CompanionFiles() {}

    /** Whether a file of that name is one. */
    public static boolean isOne(String name) {
        return NAMES.contains(name);
    }

    /** Those that {@code modelFolder} has. */
    public static List<Path> of(Path modelFolder) {
        return NAMES.stream()
                .map(modelFolder::resolve)
                .filter(Files::isRegularFile)
                .toList();
    }
}
