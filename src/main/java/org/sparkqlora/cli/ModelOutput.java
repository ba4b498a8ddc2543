package org.sparkqlora.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.function.Function;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.storage.FolderCopy;
import org.sparkqlora.storage.LocalFiles;
import org.sparkqlora.storage.TemporaryFolder;

/** Where a new model folder goes: on this host at once, elsewhere by way of a folder for temporary files. */
final class ModelOutput {
    private ModelOutput() {}

    /** What {@code write} makes of a folder that appears at {@code target} when it is whole. */
    static <T> T write(Location target, Function<Path, T> write) {
        requireAbsent(target);
        if (target.isLocal()) {
            return write.apply(target.local());
        }

        try (TemporaryFolder staging = TemporaryFolder.create("spark-qlora-model-")) {
            Path folder = staging.path().resolve(target.path().getName());
            T result = write.apply(folder);
            FolderCopy.write(LocalFiles.system(), LocalFiles.path(folder), target.files(), target.path());
            return result;
        }
    }

    /** Throws an error if there is anything at {@code target}. */
    static void requireAbsent(Location target) {
        try {
            if (target.files().exists(target.path())) {
                throw new BadInputException(
                        "Cannot write %s: expected a folder that does not exist yet, found one".formatted(target));
            }
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to look for " + target, e);
        }
    }
}
