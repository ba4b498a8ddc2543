package org.sparkqlora.storage;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;

/** This host's files as Hadoop sees them. */
public final class LocalFiles {
    public static final String SCHEME = "file";

    private LocalFiles() {}

    /** Without Hadoop's hidden checksum files, which would make an edited file unreadable and clutter an adapter's folder. */
    public static FileSystem system() {
        try {
            return FileSystem.getLocal(new Configuration()).getRawFileSystem();
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to open the local file system", e);
        }
    }

    public static org.apache.hadoop.fs.Path path(Path local) {
        return new org.apache.hadoop.fs.Path(
                SCHEME, null, local.toAbsolutePath().normalize().toUri().getPath());
    }

    /** Deletes a file or a folder with all in it, if it is there. */
    public static void delete(Path path) throws IOException {
        if (!Files.exists(path)) {
            return;
        }

        for (Path inside : tree(path)) {
            Files.delete(inside);
        }
    }

    private static List<Path> tree(Path root) throws IOException {
        try (Stream<Path> paths = Files.walk(root)) {
            return paths.sorted(Comparator.reverseOrder()).toList();
        }
    }
}
