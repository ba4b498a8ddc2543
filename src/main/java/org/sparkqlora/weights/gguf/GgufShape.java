package org.sparkqlora.weights.gguf;

import java.util.Collection;
import java.util.OptionalInt;
import org.sparkqlora.weights.InvalidWeightsException;
import org.sparkqlora.weights.StoredType;

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
        StoredType storedType) {
    private static final String FREQUENCY_FACTORS = "rope_freqs.weight";

    static GgufShape of(GgufFile file) {
        GgufArchitecture architecture = GgufArchitecture.of(file.metadata());
        requireSupported(file, architecture.label());
        GgufMetadata metadata = file.metadata();
        String attention = architecture.label() + ".attention.";
        int hidden = metadata.count(architecture.label() + ".embedding_length");
        int heads = metadata.count(attention + "head_count");
        OptionalInt keyValueHeads = metadata.optionalInt(attention + "head_count_kv");
        OptionalInt headSize = metadata.optionalInt(attention + "key_length");
        return new GgufShape(
                architecture,
                vocabularySize(file),
                hidden,
                heads,
                keyValueHeads.orElse(heads),
                headSize.orElse(hidden / heads),
                !file.tensors().containsKey(GgufNames.HEAD),
                file.tensors().containsKey("blk.0.attn_q.bias"),
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

    private static void requireSupported(GgufFile file, String prefix) {
        GgufMetadata metadata = file.metadata();
        if (metadata.has(prefix + ".expert_count")) {
            throw metadata.wrong(prefix + ".expert_count", "no experts");
        }

        if (file.tensors().containsKey(FREQUENCY_FACTORS)) {
            throw new InvalidWeightsException(
                    "Unsupported rotary scaling in %s: it is given as factors in tensor %s, from which config.json cannot be written. Use the model's Hugging Face folder"
                            .formatted(file.path(), FREQUENCY_FACTORS));
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
