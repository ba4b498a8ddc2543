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
 * @param headSize of layers with a window, where others have another one
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
        boolean twoKinds = architecture == GgufArchitecture.GEMMA4;
        OptionalInt keyValueHeads = twoKinds
                ? OptionalInt.of(GgufGemma4Json.keyValueHeads(metadata))
                : keyValueHeads(metadata, architecture.key("attention.head_count_kv"));
        int headSize = metadata.optionalInt(
                        architecture.key(twoKinds ? "attention.key_length_swa" : "attention.key_length"))
                .orElse(hidden / heads);
        requireSupported(file, architecture, headSize);
        return new GgufShape(
                architecture,
                vocabularySize(file),
                hidden,
                heads,
                keyValueHeads.orElse(heads),
                headSize,
                !file.tensors().containsKey(GgufNames.HEAD),
                has(file, ".attn_q.bias"),
                has(file, ".ffn_down.bias"),
                storedType(file.tensors().values()));
    }

    private static boolean has(GgufFile file, String suffix) {
        return file.tensors().keySet().stream().anyMatch(name -> name.endsWith(suffix));
    }

    /** One number, or the same one for each layer. */
    private static OptionalInt keyValueHeads(GgufMetadata metadata, String key) {
        if (!metadata.hasList(key)) {
            return metadata.optionalInt(key);
        }

        List<Long> each = metadata.numbers(key).stream().distinct().toList();
        if (each.size() != 1 || each.get(0) < 1) {
            throw metadata.wrong(key, "the same number for each layer");
        }

        return OptionalInt.of(Math.toIntExact(each.get(0)));
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
        if (architecture != GgufArchitecture.QWEN3_MOE
                && metadata.optionalInt(architecture.key("expert_count")).orElse(0) > 0) {
            throw metadata.wrong(architecture.key("expert_count"), "no experts");
        }

        if (!metadata.flag(architecture.key("rope.scaling.finetuned"), true)
                && architecture == GgufArchitecture.GRANITE) {
            throw metadata.wrong(architecture.key("rope.scaling.finetuned"), "true: layers that turn");
        }

        List<String> whole = switch (architecture) {
            case QWEN35 -> List.of("attention.value_length");
            case GEMMA4 -> List.of("attention.value_length_swa", "rope.dimension_count_swa");
            default -> List.of("attention.value_length", "rope.dimension_count");
        };
        for (String name : whole) {
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
