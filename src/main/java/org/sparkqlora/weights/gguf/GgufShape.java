package org.sparkqlora.weights.gguf;

import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;
import org.sparkqlora.weights.safetensors.InvalidWeightsException;
import org.sparkqlora.weights.safetensors.StoredType;

/**
 * The sizes of a model, from the metadata and, where that is silent, from the tensors.
 *
 * @param storedType what its numbers become: the type of the matrices, or bfloat16 when those are quantised
 */
record GgufShape(
        GgufArchitecture architecture,
        int vocabularySize,
        int hiddenSize,
        int heads,
        int keyValueHeads,
        int headSize,
        boolean tiedEmbeddings,
        boolean attentionBias,
        boolean feedForwardBias,
        StoredType storedType) {
    private static final List<String> LONG_FACTORS = List.of("rope_factors_long.weight", "rope_factors_short.weight");

    static GgufShape of(GgufFile file) {
        GgufArchitecture architecture = GgufArchitecture.of(file.metadata());
        GgufMetadata metadata = file.metadata();
        int hidden = metadata.count(architecture.key("embedding_length"));
        int heads = metadata.count(architecture.key("attention.head_count"));
        OptionalInt keyValueHeads = metadata.optionalInt(architecture.key("attention.head_count_kv"));
        int headSize =
                metadata.optionalInt(architecture.key("attention.key_length")).orElse(hidden / heads);
        requireSupported(file, architecture, headSize);
        return new GgufShape(
                architecture,
                vocabularySize(file),
                hidden,
                heads,
                keyValueHeads.orElse(heads),
                headSize,
                !file.tensors().containsKey(GgufNames.HEAD),
                file.tensors().containsKey("blk.0.attn_q.bias"),
                file.tensors().containsKey("blk.0.ffn_down.bias"),
                storedType(file.tensors().values()));
    }

    private static int vocabularySize(GgufFile file) {
        GgufTensor embedding = file.tensors().get(GgufNames.EMBEDDING);
        if (embedding == null) {
            throw new InvalidWeightsException("Cannot read %s: expected a tensor %s, found none among %d"
                    .formatted(file.path(), GgufNames.EMBEDDING, file.tensors().size()));
        }

        return Math.toIntExact(embedding.shape()[0]);
    }

    private static void requireSupported(GgufFile file, GgufArchitecture architecture, int headSize) {
        GgufMetadata metadata = file.metadata();
        if (metadata.optionalInt(architecture.key("expert_count")).orElse(0) > 0) {
            throw metadata.wrong(architecture.key("expert_count"), "no experts");
        }

        for (String name : List.of("attention.value_length", "rope.dimension_count")) {
            if (metadata.optionalInt(architecture.key(name)).orElse(headSize) != headSize) {
                throw metadata.wrong(architecture.key(name), String.format(Locale.ROOT, "the head size %d", headSize));
            }
        }

        if (metadata.count(architecture.key("block_count")) > file.tensors().size()) {
            throw metadata.wrong(
                    architecture.key("block_count"),
                    String.format(
                            Locale.ROOT,
                            "fewer layers than the %d tensors",
                            file.tensors().size()));
        }

        if (LONG_FACTORS.stream().anyMatch(file.tensors()::containsKey)) {
            throw new InvalidWeightsException(
                    "Unsupported rotary scaling in %s: expected none, linear, yarn or llama3, found longrope (tensors %s)"
                            .formatted(file.path(), String.join(", ", LONG_FACTORS)));
        }
    }

    private static StoredType storedType(Collection<GgufTensor> tensors) {
        boolean halves = false;
        for (GgufTensor tensor : tensors) {
            boolean matrix = tensor.shape().length > 1;
            if (matrix && tensor.type() != GgufType.F32 && tensor.type() != GgufType.F16) {
                return StoredType.BF16;
            }

            halves |= matrix && tensor.type() == GgufType.F16;
        }

        return halves ? StoredType.F16 : StoredType.F32;
    }
}
