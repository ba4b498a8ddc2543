package org.sparkqlora.checkpoint;

import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.apache.hadoop.util.Progressable;

/** A disk of a given size: a local folder, under the scheme {@code full}, that holds so many bytes and then has no space left. */
public final class FullDisk extends RawLocalFileSystem {
    private static final String SCHEME = "full";
    private static final String FOLDER = "fs.full.folder";
    private static final String BYTES = "fs.full.bytes";

    private Path root = Path.of("/");
    private long bytes;

    /** Makes {@code full:} paths known. */
    public static void install(Configuration configuration, Path folder, long bytes) {
        configuration.set("fs.full.impl", FullDisk.class.getName());
        configuration.setBoolean("fs.full.impl.disable.cache", true);
        configuration.set(FOLDER, folder.toString());
        configuration.setLong(BYTES, bytes);
    }

    static FileSystem open(Path folder, long bytes) throws IOException {
        Configuration configuration = new Configuration();
        install(configuration, folder, bytes);
        return FileSystem.get(URI.create(path(folder)), configuration);
    }

    /** A folder as this file system calls it. */
    public static String path(Path folder) {
        return SCHEME + "://" + folder;
    }

    /** Bytes of all files in a folder. */
    public static long used(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(Files::isRegularFile).mapToLong(FullDisk::size).sum();
        }
    }

    @Override
    public void initialize(URI uri, Configuration configuration) throws IOException {
        super.initialize(uri, configuration);
        root = Path.of(configuration.get(FOLDER));
        bytes = configuration.getLong(BYTES, 0);
    }

    @Override
    public URI getUri() {
        return URI.create(SCHEME + ":///");
    }

    @Override
    public FSDataOutputStream create(
            org.apache.hadoop.fs.Path file,
            boolean overwrite,
            int bufferSize,
            short replication,
            long blockSize,
            Progressable progress)
            throws IOException {
        OutputStream out = super.create(file, overwrite, 1, replication, blockSize, progress);
        return new FSDataOutputStream(new Limited(out, bytes - used(root)), null);
    }

    private static long size(Path file) {
        try {
            return Files.size(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static final class Limited extends FilterOutputStream {
        private long left;

        private Limited(OutputStream out, long left) {
            super(out);
            this.left = left;
        }

        @Override
        public void write(byte[] bytes, int from, int count) throws IOException {
            int fitting = (int) Math.min(Math.max(left, 0), count);
            out.write(bytes, from, fitting);
            left -= fitting;
            if (fitting < count) {
                throw new IOException("No space left on device");
            }
        }
    }
}
