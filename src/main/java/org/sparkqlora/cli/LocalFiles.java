package org.sparkqlora.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;

/** This host's files as Hadoop sees them. */
final class LocalFiles {
    private LocalFiles() {}

    /** Without Hadoop's checksum files, which no reader of a result expects beside it. */
    static FileSystem system() {
        try {
            return FileSystem.getLocal(new Configuration()).getRawFileSystem();
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to open the local file system", e);
        }
    }

    static org.apache.hadoop.fs.Path path(Path local) {
        return new org.apache.hadoop.fs.Path(local.toAbsolutePath().normalize().toUri());
    }
}
