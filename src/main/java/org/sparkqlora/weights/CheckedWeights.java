package org.sparkqlora.weights;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.sparkqlora.quant.Workers;

/**
 * Models in which every number was found to be finite, so that not each start reads all of a model: an empty file each in a local folder,
 * named by what {@link SourceFingerprint} says of the model.
 *
 * @param root folder of the files
 */
public record CheckedWeights(Path root) {
    private static final String SUFFIX = ".finite";

    /** Throws an error that names the first weight with a NaN or an infinity, and its place, unless the model was found free of them before. */
    public void requireFinite(WeightFolder model, Workers workers) {
        Path mark = root.resolve(SourceFingerprint.of(model, SUFFIX) + SUFFIX);
        if (!Files.exists(mark)) {
            model.checkFinite(workers);
            leave(mark);
        }
    }

    private void leave(Path mark) {
        try {
            Files.createDirectories(root);
            Files.write(mark, new byte[0]);
        } catch (FileSystemException e) {
            return; // this user may not write there: the next start reads the model again
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to write to the model cache " + root, e);
        }
    }
}
