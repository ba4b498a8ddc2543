package org.sparkqlora.storage;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Abortable;
import org.apache.hadoop.fs.CommonPathCapabilities;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.apache.hadoop.fs.StreamCapabilities;
import org.apache.hadoop.util.Progressable;
import org.jspecify.annotations.Nullable;

/** An object store over local folders: as on S3, what is closed is an object, unless it was aborted before. */
final class ObjectFiles extends RawLocalFileSystem {
    static ObjectFiles open() throws IOException {
        ObjectFiles files = new ObjectFiles();
        files.initialize(URI.create("file:///"), new Configuration(false));
        return files;
    }

    @Override
    public boolean hasPathCapability(Path path, String capability) throws IOException {
        return !capability.equals(CommonPathCapabilities.FS_APPEND) && super.hasPathCapability(path, capability);
    }

    @Override
    public FSDataOutputStream create(
            Path file, boolean overwrite, int bufferSize, short replication, long blockSize, Progressable progress)
            throws IOException {
        return new FSDataOutputStream(new Upload(pathToFile(file).toPath()), null);
    }

    private static final class Upload extends ByteArrayOutputStream implements Abortable, StreamCapabilities {
        private final java.nio.file.Path object;
        private boolean ended;

        private Upload(java.nio.file.Path object) {
            this.object = object;
        }

        @Override
        public boolean hasCapability(String capability) {
            return capability.equals(CommonPathCapabilities.ABORTABLE_STREAM);
        }

        @Override
        public AbortableResult abort() {
            boolean before = ended;
            ended = true;
            return new AbortableResult() {
                @Override
                public boolean alreadyClosed() {
                    return before;
                }

                @Override
                public @Nullable IOException anyCleanupException() {
                    return null;
                }
            };
        }

        @Override
        public void close() throws IOException {
            if (!ended) {
                ended = true;
                Files.write(object, toByteArray());
            }
        }
    }
}
