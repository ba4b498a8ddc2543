package org.sparkqlora.weights;

import java.nio.file.Path;
import org.sparkqlora.quant.QuantSpec;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.weights.safetensors.InvalidWeightsException;
import org.sparkqlora.weights.safetensors.StoredType;

/** Copies of models on local disk, in 4 bits or changed, written once a host and mapped by every process, each named by what it was made from. */
public final class QuantizedCache {
    private static final String LAYOUT = "1";

    private final FolderCache folders;

    /** A cache under the folder {@code cacheRoot}, which is made when it is first needed. */
    public QuantizedCache(Path cacheRoot) {
        this.folders = new FolderCache(cacheRoot, "quantised cache");
    }

    /** The 4-bit copy of {@code source}, written now if it is not there; {@code source} itself when it is a 4-bit model. */
    public WeightFolder open(WeightFolder source, QuantSpec spec, Workers workers) {
        if (source.quantized()) {
            return source;
        }

        String name = SourceFingerprint.of(source, LAYOUT + " " + spec);
        return reopen(folders.folder(name, folder -> FourBitFolder.write(source, spec, workers, folder)));
    }

    /** The 4-bit copy of {@code source} once it is changed, written now if it is not there. */
    public WeightFolder openChanged(WeightFolder source, WeightChange change, QuantSpec spec, Workers workers) {
        String name = SourceFingerprint.of(source, LAYOUT + " " + spec + " " + change.name());
        return reopen(folders.folder(
                name,
                folder -> FourBitFolder.write(
                        source, spec, workers, change.weights().get(), folder)));
    }

    /**
     * The copy of {@code source} once it is changed, written now if it is not there.
     *
     * @param type of the weights that change
     */
    public WeightFolder openChanged(WeightFolder source, WeightChange change, StoredType type, Workers workers) {
        String name = SourceFingerprint.of(source, LAYOUT + " " + type + " " + change.name());
        return reopen(folders.folder(
                name, folder -> new ChangedFolder(source, change.weights().get(), type, workers).write(folder)));
    }

    private static WeightFolder reopen(Path folder) {
        try {
            return WeightFolder.open(folder);
        } catch (InvalidWeightsException e) {
            throw new InvalidWeightsException(
                    "Cannot use the quantised cache %s: it was damaged after it was written. Delete that folder; it is then written again. %s"
                            .formatted(folder, e.getMessage()),
                    e);
        }
    }
}
