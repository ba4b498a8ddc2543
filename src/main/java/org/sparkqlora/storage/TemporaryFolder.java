package org.sparkqlora.storage;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;

/** A folder of this process on this host, under a name that no one else has. Closing deletes it with all in it; links are not followed. */
public final class TemporaryFolder implements AutoCloseable {
    private final Path path;
    private final Unfinished unfinished;

    private TemporaryFolder(Path path) throws IOException {
        this.path = path;
        try {
            this.unfinished = Unfinished.begin(() -> delete(path));
        } catch (IOException e) {
            delete(path);
            throw e;
        }
    }

    /** A folder where the system keeps temporary files. */
    public static TemporaryFolder create(String prefix) {
        try {
            return new TemporaryFolder(Files.createTempDirectory(prefix));
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to create a temporary folder " + prefix, e);
        }
    }

    /** A folder in {@code parent}, which is made if it is not there. */
    public static TemporaryFolder in(Path parent, String prefix) {
        try {
            Files.createDirectories(parent);
            return new TemporaryFolder(Files.createTempDirectory(parent, prefix));
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to create a temporary folder in " + parent, e);
        }
    }

    /** A hidden folder beside {@code target}, on the same disk. */
    public static TemporaryFolder beside(Path target) {
        Path path =
                target.toAbsolutePath().resolveSibling(".%s.tmp-%s".formatted(target.getFileName(), UUID.randomUUID()));
        try {
            Files.createDirectories(path.getParent());
            return new TemporaryFolder(Files.createDirectory(path));
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to create a temporary folder beside " + target, e);
        }
    }

    public Path path() {
        return path;
    }

    @Override
    public void close() {
        unfinished.close();
        try {
            delete(path);
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to delete temporary folder " + path, e);
        }
    }

    /** Deletes a folder of temporary files, if it is there. */
    static void delete(Path folder) throws IOException {
        for (Path each : tree(folder)) {
            Files.deleteIfExists(each);
        }
    }

    /** The folder and all in it, what is inside before what holds it. */
    static List<Path> tree(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return List.of();
        }

        try (Stream<Path> paths = Files.walk(folder)) {
            return paths.sorted(Comparator.reverseOrder()).toList();
        }
    }
}
