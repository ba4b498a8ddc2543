package org.sparkqlora.train;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.sparkqlora.model.DecoderModel;
import org.sparkqlora.model.Method;
import org.sparkqlora.model.ModelSpec;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.weights.QuantizedCache;
import org.sparkqlora.weights.WeightFolder;

/**
 * A model folder on a local disk, the same path in every process. For QLoRA its projections are quantised once a host, into a
 * cache that all processes of the host share.
 *
 * @param folder in Hugging Face layout
 * @param spec how it is loaded and what of it trains
 * @param cacheFolder where quantised copies are kept
 */
public record FolderModelSource(String folder, ModelSpec spec, String cacheFolder) implements ModelSource {
    @Override
    public String key() {
        return folder + " " + spec;
    }

    @Override
    public Optional<String> problem() {
        return Files.isDirectory(Path.of(folder))
                ? Optional.empty()
                : Optional.of("Cannot open model %s: expected a folder at this path on every executor, found none"
                        .formatted(folder));
    }

    @Override
    public DecoderGradientModel open(int threads) {
        WeightFolder weights = openWeights(threads);
        try {
            return new DecoderGradientModel(weights, DecoderModel.load(weights, spec, threads));
        } catch (RuntimeException e) {
            closeAfter(e, weights);
            throw e;
        }
    }

    private WeightFolder openWeights(int threads) {
        WeightFolder stored = WeightFolder.open(Path.of(folder));
        if (spec.method() != Method.QLORA) {
            return stored;
        }

        try (Workers workers = new Workers(threads)) {
            WeightFolder quantized = new QuantizedCache(Path.of(cacheFolder)).open(stored, spec.quant(), workers);
            if (quantized != stored) {
                stored.close();
            }

            return quantized;
        } catch (RuntimeException e) {
            closeAfter(e, stored);
            throw e;
        }
    }

    private static void closeAfter(RuntimeException first, WeightFolder weights) {
        try {
            weights.close();
        } catch (RuntimeException second) {
            first.addSuppressed(second);
        }
    }
}
