package org.sparkqlora.checkpoint.hub;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.sparkqlora.storage.FolderFiles;

/**
 * A model whose weights are read in ranges where they lie, on a Hadoop file system or on a hub.
 *
 * @param identity changes when the model does
 */
public record RangedModel(FolderFiles files, String identity) {
    private static final String WEIGHTS = ".safetensors";

    /** Copies what is not weights to a folder of this host. */
    public void copySmallFiles(Path folder) {
        try {
            for (Map.Entry<String, Long> file : files.lengths().entrySet()) {
                String name = file.getKey();
                if (ModelCopy.isPart(name) && !name.endsWith(WEIGHTS)) {
                    Files.write(folder.resolve(name), files.read(name, 0, Math.toIntExact(file.getValue())));
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to read model " + files.address(""), e);
        }
    }
}
