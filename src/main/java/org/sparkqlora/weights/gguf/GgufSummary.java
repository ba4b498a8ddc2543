package org.sparkqlora.weights.gguf;

import java.nio.file.Path;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.sparkqlora.weights.family.ModelConfig;

/**
 * A summary of the content of a GGUF file.
 *
 * @param config what it becomes as a Hugging Face folder
 * @param parameters number of its weights
 * @param types tensors of each element type, by the type's name
 * @param tokenizer the tokenizer's kind, as the file names it
 * @param tokens size of its vocabulary
 * @param templated whether it has a chat template
 */
public record GgufSummary(
        Path file,
        ModelConfig config,
        long parameters,
        Map<String, Long> types,
        String tokenizer,
        int tokens,
        boolean templated) {
    public GgufSummary {
        types = Collections.unmodifiableMap(new TreeMap<>(types));
    }

    /** Reads and checks all of {@code file} but its numbers. */
    public static GgufSummary of(Path file) {
        GgufModel model = GgufModel.open(file);
        GgufVocabulary vocabulary = model.vocabulary();
        Map<String, Long> types = model.tensors().values().stream()
                .collect(Collectors.groupingBy(tensor -> tensor.type().name(), Collectors.counting()));
        return new GgufSummary(
                file,
                model.config(),
                model.tensors().values().stream()
                        .mapToLong(GgufTensor::elements)
                        .sum(),
                types,
                vocabulary.kind(),
                vocabulary.tokens().size(),
                vocabulary.chatTemplate().isPresent());
    }
}
