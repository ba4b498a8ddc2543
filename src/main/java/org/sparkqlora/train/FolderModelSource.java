package org.sparkqlora.train;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.sparkqlora.checkpoint.ModelPlace;
import org.sparkqlora.model.DecoderModel;
import org.sparkqlora.model.Method;
import org.sparkqlora.model.ModelSpec;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.weights.InvalidWeightsException;
import org.sparkqlora.weights.QuantizedCache;
import org.sparkqlora.weights.WeightFolder;

/**
 * A model folder on a local disk. One that was copied or converted from elsewhere is made again on each host that lacks it. For
 * QLoRA its projections are quantised once a host, into a cache that all processes of the host share.
 *
 * @param place where it comes from
 * @param folder in Hugging Face layout, the same path on every host
 * @param spec how it is loaded and what of it trains
 * @param cacheFolder where copies are kept
 */
public record FolderModelSource(ModelPlace place, String folder, ModelSpec spec, String cacheFolder)
        implements ModelSource {
    /** A folder that is on every host. */
    public FolderModelSource(String folder, ModelSpec spec, String cacheFolder) {
        this(new ModelPlace(folder, Map.of()), folder, spec, cacheFolder);
    }

    @Override
    public String key() {
        return folder + " " + spec;
    }

    @Override
    public Optional<String> problem() {
        return Files.isDirectory(Path.of(folder)) ? Optional.empty() : place.problem();
    }

    /** The folder, made now if this host lacks it. */
    public Path local() {
        Path expected = Path.of(folder);
        if (Files.isDirectory(expected)) {
            return expected;
        }

        Path found = place.folder(Path.of(cacheFolder));
        if (!found.equals(expected)) {
            throw new InvalidWeightsException(
                    "Cannot open model %s: expected the one that the driver opened as %s, found another (%s). Was it changed?"
                            .formatted(place, expected, found));
        }

        return found;
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
        WeightFolder stored = WeightFolder.open(local());
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
