package org.sparkqlora.checkpoint;

import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.lang.reflect.Constructor;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FSError;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.apache.hadoop.util.Progressable;

/** A disk of a given size: a local folder, under the scheme {@code full}, that holds so many bytes and then has no space left. */
public final class FullDisk extends RawLocalFileSystem {
    private static final String SCHEME = "full";
    private static final String FOLDER = "fs.full.folder";
    private static final String BYTES = "fs.full.bytes";
    private static final String WORD = "fs.full.word";

    private Path root = Path.of("/");
    private long bytes;
    private Word word = Word.EXCEPTION;

    /** The exception of a file system that is full. */
    public enum Word {
        /** As HDFS does. */
        EXCEPTION,
        /** As Hadoop does for a local disk. */
        ERROR
    }

    /** Makes {@code full:} paths known. */
    public static void install(Configuration configuration, Path folder, long bytes, Word word) {
        configuration.setEnum(WORD, word);
        configuration.set("fs.full.impl", FullDisk.class.getName());
        configuration.setBoolean("fs.full.impl.disable.cache", true);
        configuration.set(FOLDER, folder.toString());
        configuration.setLong(BYTES, bytes);
    }

    static FileSystem open(Path folder, long bytes, Word word) throws IOException {
        Configuration configuration = new Configuration();
        install(configuration, folder, bytes, word);
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
        word = configuration.getEnum(WORD, Word.EXCEPTION);
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
        return new FSDataOutputStream(new Limited(out, bytes - used(root), word), null);
    }

    private static long size(Path file) {
        try {
            return Files.size(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static final class Limited extends FilterOutputStream {
        private final Word word;
        private long left;

        private Limited(OutputStream out, long left, Word word) {
            super(out);
            this.left = left;
            this.word = word;
        }

        @Override
        public void write(byte[] bytes, int from, int count) throws IOException {
            int fitting = (int) Math.min(Math.max(left, 0), count);
            out.write(bytes, from, fitting);
            left -= fitting;
            if (fitting < count) {
                throw full(new IOException("No space left on device"));
            }
        }

        private IOException full(IOException reason) {
            return switch (word) {
                case EXCEPTION -> reason;
                case ERROR -> throw error(reason);
            };
        }

        /** Only Hadoop's own package may make one. */
        private static FSError error(IOException reason) {
            try {
                Constructor<FSError> constructor = FSError.class.getDeclaredConstructor(Throwable.class);
                constructor.setAccessible(true);
                return constructor.newInstance(reason);
            } catch (ReflectiveOperationException e) {
                throw new IllegalStateException(e);
            }
        }
    }
}
