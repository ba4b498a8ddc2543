package org.sparkqlora.storage;

import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;

/** The free room on a disk of this host. */
public final class DiskRoom {
    private static final double GIGA = 1e9;

    private DiskRoom() {}

    /**
     * Asks for room before anything is written.
     *
     * @throws IOException if fewer than {@code bytes} are free on the disk of {@code path}, which need not exist
     */
    public static void require(Path path, long bytes) throws IOException {
        Optional<String> problem = problem(path, bytes);
        if (problem.isPresent()) {
            throw new IOException(problem.get());
        }
    }

    /** Why {@code bytes} do not fit on the disk of {@code path}; empty if they do, or if its file system does not say what is free. */
    static Optional<String> problem(Path path, long bytes) throws IOException {
        Path there = nearest(path.toAbsolutePath().normalize());
        FileStore disk = Files.getFileStore(there);
        long free = disk.getUsableSpace();
        if (bytes <= free || disk.getTotalSpace() == 0) {
            return Optional.empty();
        }

        return Optional.of(String.format(
                Locale.ROOT,
                "Cannot write %.1f GB to %s: expected as much free on its disk, found %.1f GB. Free some, or name a folder on a larger disk.",
                bytes / GIGA,
                path,
                free / GIGA));
    }

    /** The lowest folder above a path that exists, or itself. */
    private static Path nearest(Path path) {
        Path nearest = path;
        while (!Files.exists(nearest) && nearest.getParent() != null) {
            nearest = nearest.getParent();
        }

        return nearest;
    }
}
