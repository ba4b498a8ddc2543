package org.sparkqlora.weights.gguf;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.sparkqlora.quant.FloatSource;
import org.sparkqlora.weights.family.DecoderTensors;
import org.sparkqlora.weights.family.ModelConfig;
import org.sparkqlora.weights.family.ModelConfigJson;
import org.sparkqlora.weights.safetensors.InvalidWeightsException;

/**
 * A model in a GGUF file, whose tensors are those that its metadata speaks of.
 *
 * @param configText its {@code config.json}
 * @param tensors by Hugging Face's names
 */
record GgufModel(
        GgufFile file, GgufShape shape, String configText, GgufVocabulary vocabulary, Map<String, GgufTensor> tensors) {
    /** Dimensions of a tensor that holds a matrix of each expert. */
    private static final int EXPERTS_RANK = 3;

    GgufModel {
        tensors = new LinkedHashMap<>(tensors);
    }

    /** Reads all of {@code path} but the numbers, and checks it. */
    static GgufModel open(Path path) {
        GgufFile file = GgufFile.open(path);
        GgufShape shape = GgufShape.of(file);
        GgufVocabulary vocabulary = GgufVocabulary.of(file.metadata());
        requireRows(file, vocabulary, shape);
        String config = GgufConfigJson.write(file, shape);
        Map<String, long[]> expected = DecoderTensors.of(parse(file, config)).shapes();
        return new GgufModel(file, shape, config, vocabulary, tensors(file, shape.architecture(), expected));
    }

    ModelConfig config() {
        return parse(file, configText);
    }

    /** The numbers of a tensor of the file, in Hugging Face's order and counted as there. */
    FloatSource floats(GgufTensor tensor) {
        GgufForm form = GgufForm.of(shape.architecture(), config());
        return form.huggingFace(tensor.name(), tensor.shape(), tensor.asFloats());
    }

    private static ModelConfig parse(GgufFile file, String config) {
        return ModelConfigJson.parse("the config of " + file.path(), config);
    }

    private static void requireRows(GgufFile file, GgufVocabulary vocabulary, GgufShape shape) {
        if (vocabulary.tokens().size() > shape.vocabularySize()) {
            throw new InvalidWeightsException("Cannot use %s: expected a row of %s for each of the %d tokens, found %d"
                    .formatted(
                            file.path(),
                            GgufNames.EMBEDDING,
                            vocabulary.tokens().size(),
                            shape.vocabularySize()));
        }
    }

    /** Throws one error that lists every tensor that is missing, unknown or of another shape than the metadata says. */
    private static Map<String, GgufTensor> tensors(
            GgufFile file, GgufArchitecture architecture, Map<String, long[]> expected) {
        Map<String, GgufTensor> tensors = new LinkedHashMap<>();
        Set<String> problems = new TreeSet<>();
        for (GgufTensor tensor : file.tensors().values()) {
            apart(architecture, tensor).forEach((name, part) -> {
                Optional<String> problem = problem(part, Optional.ofNullable(expected.get(name)));
                problem.ifPresent(problems::add);
                if (problem.isEmpty() && expected.containsKey(name)) {
                    tensors.put(name, part);
                }
            });
        }

        expected.keySet().stream()
                .filter(name -> !tensors.containsKey(name))
                .forEach(name -> problems.add("none for " + name));
        if (!problems.isEmpty()) {
            throw new InvalidWeightsException("Cannot use %s: expected the %d tensors of a %s, found %s"
                    .formatted(file.path(), expected.size(), architecture, String.join("; ", problems)));
        }

        return tensors;
    }

    /** By Hugging Face's names: one tensor, or those of a layer's experts. */
    private static Map<String, GgufTensor> apart(GgufArchitecture architecture, GgufTensor tensor) {
        Optional<GgufExperts> experts = GgufExperts.named(tensor.name());
        if (architecture != GgufArchitecture.QWEN3_MOE || experts.isEmpty() || tensor.shape().length != EXPERTS_RANK) {
            return Map.of(GgufNames.huggingFace(architecture, tensor.name()).orElse(""), tensor);
        }

        List<String> names = experts.get().weights(Math.toIntExact(tensor.shape()[0]));
        Map<String, GgufTensor> apart = new LinkedHashMap<>();
        for (int expert = 0; expert < names.size(); expert++) {
            apart.put(names.get(expert), tensor.part(expert));
        }

        return apart;
    }

    private static Optional<String> problem(GgufTensor tensor, Optional<long[]> huggingFace) {
        if (tensor.name().equals(GgufNames.ROTARY_FACTORS)) {
            return Optional.empty();
        }

        if (huggingFace.isEmpty()) {
            return Optional.of("unexpected " + tensor.name());
        }

        long[] wanted = GgufForm.shape(tensor.name(), huggingFace.get());
        return Arrays.equals(wanted, tensor.shape())
                ? Optional.empty()
                : Optional.of("%s of shape %s, expected %s"
                        .formatted(tensor.name(), Arrays.toString(tensor.shape()), Arrays.toString(wanted)));
    }
}
