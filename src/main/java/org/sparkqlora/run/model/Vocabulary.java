package org.sparkqlora.run.model;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.spark.cluster.Location;
import org.sparkqlora.storage.BlobWriter;
import org.sparkqlora.tokenizer.AddedToken;
import org.sparkqlora.tokenizer.GrownTokenizerJson;
import org.sparkqlora.weights.CompanionFiles;
import org.sparkqlora.weights.family.ModelConfig;

/**
 * The tokens of a model beside those of its base.
 *
 * @param added tokens that the tokenizer gets
 */
public record Vocabulary(List<AddedToken> added) {
    public static final Vocabulary UNCHANGED = new Vocabulary(List.of());

    private static final String TOKENIZER = "tokenizer.json";
    private static final String GENERATION = "generation_config.json";

    public Vocabulary {
        added = List.copyOf(added);
    }

    /** The tokens that the tokenizer beside an adapter, if there is one, has beyond the model's. */
    static Vocabulary beside(Location adapter, Path model) {
        Location file = adapter.resolve(TOKENIZER);
        return Files.exists(model.resolve(TOKENIZER))
                ? file.text()
                        .map(text -> new Vocabulary(GrownTokenizerJson.beyond(model, file.toString(), text)))
                        .orElse(UNCHANGED)
                : UNCHANGED;
    }

    /**
     * The rows that embedding and head get: as asked for, or enough for all tokens; 0 where they stay as they are.
     *
     * @param asked {@code --resize-token-embeddings}, or null
     */
    public int rows(Path model, ModelConfig config, @Nullable Integer asked) {
        if (added.isEmpty() && asked == null) {
            return 0;
        }

        int needed = added.isEmpty() && !Files.exists(model.resolve(TOKENIZER))
                ? 1
                : GrownTokenizerJson.of(model, added).size();
        if (asked != null && asked < needed) {
            throw new BadInputException(
                    "--resize-token-embeddings: expected at least %d, as many tokens as the tokenizer of %s has%s, found %d"
                            .formatted(needed, model, added.isEmpty() ? "" : " with the new ones", asked));
        }

        int rows = asked == null ? Math.max(needed, config.vocabularySize()) : asked;
        return rows == config.vocabularySize() ? 0 : rows;
    }

    /** The files of the tokenizer by their names; none where it is the base's. */
    public Map<String, BlobWriter> files(Path model) {
        Map<String, BlobWriter> files = new LinkedHashMap<>();
        if (added.isEmpty()) {
            return files;
        }

        for (Path file : CompanionFiles.of(model)) {
            files.put(file.getFileName().toString(), out -> Files.copy(file, out));
        }

        files.remove(GENERATION);
        GrownTokenizerJson.of(model, added)
                .texts()
                .forEach((name, text) -> files.put(name, out -> out.write(text.getBytes(StandardCharsets.UTF_8))));
        return files;
    }
}
