package org.sparkqlora.checkpoint;

import java.io.IOException;
import java.net.URI;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FSInputStream;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;

/** A store over local folders that loses the connection in the middle of some files, so many times. Its scheme is {@code stumbling}. */
public final class StumblingStore extends RawLocalFileSystem {
    private static final String SCHEME = "stumbling";
    private static final String NAME = "fs.stumbling.name";
    private static final String TIMES = "fs.stumbling.times";

    private String name = "";
    private int left;

    /** Makes {@code stumbling:} paths known: each open file system loses files that end with {@code name} so many times. */
    public static void install(Configuration configuration, String name, int times) {
        configuration.set("fs.stumbling.impl", StumblingStore.class.getName());
        configuration.setBoolean("fs.stumbling.impl.disable.cache", true);
        configuration.set(NAME, name);
        configuration.setInt(TIMES, times);
    }

    static StumblingStore open(String name, int times) throws IOException {
        Configuration configuration = new Configuration();
        install(configuration, name, times);
        StumblingStore store = new StumblingStore();
        store.initialize(URI.create(SCHEME + ":///"), configuration);
        return store;
    }

    /** A folder as this file system calls it. */
    public static String path(java.nio.file.Path folder) {
        return SCHEME + "://" + folder;
    }

    @Override
    public void initialize(URI uri, Configuration configuration) throws IOException {
        super.initialize(uri, configuration);
        name = configuration.get(NAME);
        left = configuration.getInt(TIMES, 0);
    }

    @Override
    public URI getUri() {
        return URI.create(SCHEME + ":///");
    }

    @Override
    public FSDataInputStream open(Path file, int bufferSize) throws IOException {
        FSDataInputStream in = super.open(file, bufferSize);
        if (left == 0 || !file.getName().endsWith(name)) {
            return in;
        }

        left--;
        return new FSDataInputStream(new Lost(in, getFileStatus(file).getLen() / 2));
    }

    /** Ends half way. */
    private static final class Lost extends FSInputStream {
        private final FSDataInputStream in;
        private final long end;

        private Lost(FSDataInputStream in, long end) {
            this.in = in;
            this.end = end;
        }

        @Override
        public int read() throws IOException {
            requireConnection();
            return in.read();
        }

        @Override
        public int read(byte[] bytes, int from, int count) throws IOException {
            requireConnection();
            return in.read(bytes, from, (int) Math.min(count, end - in.getPos()));
        }

        @Override
        public void seek(long position) throws IOException {
            in.seek(position);
        }

        @Override
        public long getPos() throws IOException {
            return in.getPos();
        }

        @Override
        public boolean seekToNewSource(long position) {
            return false;
        }

        @Override
        public void close() throws IOException {
            in.close();
        }

        private void requireConnection() throws IOException {
            if (in.getPos() >= end) {
                throw new IOException("connection reset");
            }
        }
    }
}
