package org.sparkqlora.storage;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** The free room on a disk of this host. */
public final class DiskRoom {
    private static final double GIGA = 1e9;

    /** What the system says where there may be room later. */
    private static final List<String> SHORT =
            List.of("No space left on device", "Disk quota exceeded", "Too many open files", "Input/output error");

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

    /** Why {@code bytes} do not fit on the disk of {@code path}; empty if they do. */
    static Optional<String> problem(Path path, long bytes) {
        long free = bytesFree(path);
        if (bytes <= free) {
            return Optional.empty();
        }

        return Optional.of(String.format(
                Locale.ROOT,
                "Cannot write %.1f GB to %s: expected as much free on its disk, found %.1f GB. Free some, or name a folder on a larger disk.",
                bytes / GIGA,
                path,
                free / GIGA));
    }

    /** Whether {@code e} tells of a disk that is full or does not answer. To Java a file that cannot be opened is "not found", for whatever reason. */
    public static boolean isShort(IOException e) {
        return SHORT.stream().anyMatch(String.valueOf(e.getMessage())::contains);
    }

    /**
     * Bytes that this user may write on the disk of {@code path}, or of the lowest folder above it that exists; as many as there can be where the
     * file system does not tell.
     */
    public static long bytesFree(Path path) {
        File there = nearest(path.toAbsolutePath().normalize()).toFile();
        return there.getTotalSpace() == 0 ? Long.MAX_VALUE : there.getUsableSpace();
    }

    private static Path nearest(Path path) {
        Path nearest = path;
        while (!Files.exists(nearest) && nearest.getParent() != null) {
            nearest = nearest.getParent();
        }

        return nearest;
    }
}
