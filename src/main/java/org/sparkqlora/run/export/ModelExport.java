package org.sparkqlora.run.export;

import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.checkpoint.hub.HubId;
import org.sparkqlora.options.MergeBase;
import org.sparkqlora.options.ModelPath;
import org.sparkqlora.quant.QuantSpec;
import org.sparkqlora.run.model.Vocabulary;
import org.sparkqlora.spark.cluster.Location;
import org.sparkqlora.storage.BlobWriter;
import org.sparkqlora.storage.ModelCache;
import org.sparkqlora.storage.TemporaryFolder;
import org.sparkqlora.weights.ChangedWeights;
import org.sparkqlora.weights.WeightFolder;
import org.sparkqlora.weights.family.ModelConfigJson;
import org.sparkqlora.weights.gguf.GgufExport;
import org.sparkqlora.weights.gguf.GgufOutType;

/**
 * Writes a model, alone or with an adapter folded in, as one GGUF file.
 *
 * @param model a folder, a .gguf file or a model on a hub
 * @param adapter in PEFT layout; null for the model alone
 * @param base what the adapter is folded into; null for the original weights where the model has them
 * @param quant how weights are quantised that the adapter was trained beside
 * @param name of the model for people; empty to guess it
 * @param preTokenizer llama.cpp's name of the pre-tokenizer; empty to find it
 */
public record ModelExport(
        Location model,
        @Nullable Location adapter,
        @Nullable MergeBase base,
        QuantSpec quant,
        GgufOutType type,
        Optional<String> name,
        Optional<String> preTokenizer) {

    /** Writes the file, which appears whole or not at all. */
    public ExportedFile write(GgufTarget target) {
        Path folder = ModelPath.folder(model, ModelCache.ofUser());
        return adapter == null ? writeModel(folder, target) : writeMerged(folder, adapter, target);
    }

    private ExportedFile writeModel(Path folder, GgufTarget target) {
        try (WeightFolder source = WeightFolder.open(folder)) {
            source.checkShapes();
            source.checkHead();
            return target.write(GgufExport.of(source, ChangedWeights.NONE, type, labels(folder)), type);
        }
    }

    private ExportedFile writeMerged(Path folder, Location tuned, GgufTarget target) {
        try (Merge merge = Merge.open(folder, tuned, quant);
                TemporaryFolder temporary = TemporaryFolder.create("spark-qlora-tokenizer-")) {
            merge.requireTexts("export as GGUF");
            ChangedWeights weights = merge.weights(merge.base(base));
            Path tokenizer = tokenizer(folder, merge.vocabulary(), temporary.path());
            return target.write(GgufExport.of(merge.source(), weights, type, labels(tokenizer)), type);
        }
    }

    private GgufExport.Labels labels(Path tokenizer) {
        return new GgufExport.Labels(tokenizer, id(), name, preTokenizer);
    }

    private String id() {
        String last = model.path().getName();
        return HubId.ofAddress(model.toString())
                .map(HubId::name)
                .orElseGet(() -> GgufTarget.isFile(model) ? GgufExport.idOf(last) : last);
    }

    /** The folder of the tokenizer: the model's, or {@code fresh} where the adapter has more tokens. */
    private static Path tokenizer(Path folder, Vocabulary vocabulary, Path fresh) {
        Map<String, BlobWriter> files = vocabulary.files(folder);
        if (files.isEmpty()) {
            return folder;
        }

        try {
            Files.copy(folder.resolve(ModelConfigJson.FILE_NAME), fresh.resolve(ModelConfigJson.FILE_NAME));
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
