package org.sparkqlora.weights;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.quant.QuantSpec;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.storage.NewFolder;
import org.sparkqlora.weights.family.DecoderTensors;
import org.sparkqlora.weights.family.ModelConfigJson;
import org.sparkqlora.weights.safetensors.StoredTensors;

/**
 * Writes a model with its projections in four bits, in bitsandbytes' layout, so that transformers loads it too. Weights are
 * read, quantised and written one at a time; embeddings, head, norms and biases are copied as stored.
 */
public final class FourBitFolder {
    private FourBitFolder() {}

    /** Writes {@code source} in four bits and compares the two. */
    public static QuantizationReport writeAndCompare(
            WeightFolder source, QuantSpec spec, Workers workers, Path target) {
        source.checkFinite(workers);
        write(source, spec, workers, target);
        try (WeightFolder written = WeightFolder.open(target)) {
            return QuantizationReport.of(source, written, workers);
        }
    }

    /** Writes {@code source} in four bits to the folder {@code target}, which must not exist and appears whole or not at all. */
    public static void write(WeightFolder source, QuantSpec spec, Workers workers, Path target) {
        write(source, spec, workers, ChangedWeights.NONE, target);
    }

    /** This folder with other values of some projections, which are quantised as they are read, from float32. */
    static void write(WeightFolder source, QuantSpec spec, Workers workers, ChangedWeights changed, Path target) {
        requireTrained(source);
        try (NewFolder folder = NewFolder.begin(target)) {
            Set<String> projections =
                    Set.copyOf(DecoderTensors.of(source.config()).projections());
            new FourBitFile(spec, workers, projections, changed)
                    .write(
                            folder.path().resolve(StoredTensors.SINGLE_FILE),
                            source.names().stream()
                                    .map(name -> source.tensor(name).spec())
                                    .toList(),
                            source);
            writeSmallFiles(source, spec, folder.path());
            folder.commit();
        }
    }

    /** Throws an error unless the weights fit the config, and are not in four bits already. */
    static void requireTrained(WeightFolder source) {
        if (source.quantized()) {
            throw new BadInputException("Cannot quantise %s: expected weights as they were trained, found 4-bit weights"
                    .formatted(source.path()));
        }

        source.checkShapes();
    }

    /** Writes what the copy in four bits of {@code source} has beside its weights. */
    public static void writeSmallFiles(WeightFolder source, QuantSpec spec, Path folder) {
        try {
            Files.writeString(folder.resolve(ModelConfigJson.FILE_NAME), configText(source, spec));
            for (Path file : CompanionFiles.of(source.path())) {
                Files.copy(file, folder.resolve(file.getFileName()));
            }
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to write " + folder, e);
        }
    }

    private static String configText(WeightFolder source, QuantSpec spec) throws IOException {
        Path config = source.path().resolve(ModelConfigJson.FILE_NAME);
        return QuantizedConfigJson.write(config.toString(), Files.readString(config), spec);
    }
}
