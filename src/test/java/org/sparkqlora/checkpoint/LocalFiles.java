package org.sparkqlora.checkpoint;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;

/** The local disk as a Hadoop file system, without checksums of its own that would hide ours. */
final class LocalFiles {
    private LocalFiles() {}

    static FileSystem open() {
        RawLocalFileSystem files = new RawLocalFileSystem();
        try {
            files.initialize(URI.create("file:///"), new Configuration(false));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }

        return files;
    }

    static Path path(java.nio.file.Path path) {
        return new Path("file:" + path);
    }
}
