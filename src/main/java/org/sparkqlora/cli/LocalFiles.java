package org.sparkqlora.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;

/** This host's files as Hadoop sees them. */
final class LocalFiles {
    private static final String SCHEME = "file";

    private LocalFiles() {}

    /** Without Hadoop's hidden checksum files, which would make an edited file unreadable and clutter an adapter's folder. */
    static FileSystem system() {
        try {
            return FileSystem.getLocal(new Configuration()).getRawFileSystem();
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to open the local file system", e);
        }
    }

    static org.apache.hadoop.fs.Path path(Path local) {
        return new org.apache.hadoop.fs.Path(
                SCHEME, null, local.toAbsolutePath().normalize().toUri().getPath());
    }
}
