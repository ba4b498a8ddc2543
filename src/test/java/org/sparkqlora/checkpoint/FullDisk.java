package org.sparkqlora.checkpoint;

import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URI;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.apache.hadoop.util.Progressable;

/** The local disk under a scheme of its own, with a file that fits only so many bytes: then there is no space left. */
public final class FullDisk extends RawLocalFileSystem {
    /** Scheme of its paths, to be set up as {@code fs.full.impl}. */
    public static final String SCHEME = "full";

    /** Key of how many bytes fit into one file. */
    public static final String BYTES = "fs.full.bytes";

    private long bytesLeft;

    @Override
    public void initialize(URI uri, Configuration configuration) throws IOException {
        super.initialize(uri, configuration);
        bytesLeft = configuration.getLong(BYTES, Long.MAX_VALUE);
    }

    @Override
    public URI getUri() {
        return URI.create(SCHEME + ":///");
    }

    @Override
    public FSDataOutputStream create(
            Path file, boolean overwrite, int bufferSize, short replication, long blockSize, Progressable progress)
            throws IOException {
        OutputStream out = super.create(file, overwrite, 1, replication, blockSize, progress);
        return new FSDataOutputStream(new Limited(out), null);
    }

    private final class Limited extends FilterOutputStream {
        private long left = bytesLeft;

        private Limited(OutputStream out) {
            super(out);
        }

        @Override
        public void write(byte[] bytes, int from, int count) throws IOException {
            int fitting = (int) Math.min(left, count);
            out.write(bytes, from, fitting);
            left -= fitting;
            if (fitting < count) {
                throw new IOException("No space left on device");
            }
        }
    }
}
