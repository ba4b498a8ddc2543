package org.sparkqlora.run.export;

import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.options.MergeBase;
import org.sparkqlora.quant.QuantSpec;
import org.sparkqlora.run.model.Vocabulary;
import org.sparkqlora.spark.cluster.Location;
import org.sparkqlora.storage.BlobWriter;
import org.sparkqlora.storage.TemporaryFolder;
import org.sparkqlora.weights.ChangedWeights;
import org.sparkqlora.weights.WeightFolder;
import org.sparkqlora.weights.family.ModelConfigJson;
import org.sparkqlora.weights.gguf.GgufExport;
import org.sparkqlora.weights.gguf.GgufOutType;

/**
 * Writes a model, alone or with an adapter folded in, as one GGUF file.
 *
 * @param model a Hugging Face folder
 * @param adapter in PEFT layout; null for the model alone
 * @param base what the adapter is folded into; null for the original weights where the model has them
 * @param quant how weights are quantised that the adapter was trained beside
 * @param name of the model for people; empty to guess it
 * @param preTokenizer llama.cpp's name of the pre-tokenizer; empty to find it
 */
public record ModelExport(
        Path model,
        @Nullable Location adapter,
        @Nullable MergeBase base,
        QuantSpec quant,
        GgufOutType type,
        Optional<String> name,
        Optional<String> preTokenizer) {

    /** Writes the file, which appears whole or not at all. */
    public ExportedFile write(GgufTarget target) {
        return adapter == null ? writeModel(target) : writeMerged(adapter, target);
    }

    private ExportedFile writeModel(GgufTarget target) {
        try (WeightFolder source = WeightFolder.open(model)) {
            source.checkShapes();
            source.checkHead();
            return target.write(GgufExport.of(source, ChangedWeights.NONE, type, labels(model)), type);
        }
    }

    private ExportedFile writeMerged(Location folder, GgufTarget target) {
        try (Merge merge = Merge.open(model, folder, quant);
                TemporaryFolder temporary = TemporaryFolder.create("spark-qlora-tokenizer-")) {
            merge.requireTexts("export as GGUF");
            ChangedWeights weights = merge.weights(merge.base(base));
            Path tokenizer = tokenizer(merge.vocabulary(), temporary.path());
            return target.write(GgufExport.of(merge.source(), weights, type, labels(tokenizer)), type);
        }
    }

    private GgufExport.Labels labels(Path tokenizer) {
        return new GgufExport.Labels(tokenizer, name, preTokenizer);
    }

    /** The folder of the tokenizer: the model's, or {@code fresh} where the adapter has more tokens. */
    private Path tokenizer(Vocabulary vocabulary, Path fresh) {
        Map<String, BlobWriter> files = vocabulary.files(model);
        if (files.isEmpty()) {
            return model;
        }

        try {
            Files.copy(model.resolve(ModelConfigJson.FILE_NAME), fresh.resolve(ModelConfigJson.FILE_NAME));
            for (Map.Entry<String, BlobWriter> file : files.entrySet()) {
                try (DataOutputStream out = new DataOutputStream(Files.newOutputStream(fresh.resolve(file.getKey())))) {
                    file.getValue().write(out);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to write a tokenizer to " + fresh, e);
        }

        return fresh;
    }
}
