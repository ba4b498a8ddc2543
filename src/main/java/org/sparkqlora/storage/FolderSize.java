package org.sparkqlora.storage;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** The size of a folder. */
public final class FolderSize {
    private FolderSize() {}

    /** Bytes of all files in it. */
    public static long of(Path folder) {
        try (Stream<Path> paths = Files.walk(folder)) {
            List<Path> files = paths.filter(Files::isRegularFile).toList();
            long bytes = 0;
            for (Path file : files) {
                bytes += Files.size(file);
            }

            return bytes;
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to read " + folder, e);
        }
    }
}
