package org.sparkqlora.spark.prepare;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.StreamCapabilities;
import org.apache.hadoop.util.functional.FutureIO;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.storage.StorePath;

/**
 * Files that were read lately and that no task reads now. They hold no connection: a store has fewer than there may be files
 * of rows. Safe for several threads.
 */
final class IdleStreams implements AutoCloseable {
    private static final int MOST = 64;

    private final Configuration configuration;
    private final Map<Path, FSDataInputStream> streams = new LinkedHashMap<>(); // the oldest first
    private boolean closed;

    IdleStreams(Configuration configuration) {
        this.configuration = configuration;
    }

    /**
     * Reads a part of a file.
     *
     * @param fileBytes length of the file, which a store then need not be asked for
     */
    byte[] read(Path file, long fileBytes, long start, int count) throws IOException {
        byte[] bytes = new byte[count];
        FSDataInputStream stream = take(file, fileBytes);
        try {
            stream.readFully(start, bytes);
        } catch (IOException | RuntimeException e) {
            closeAfter(e, stream);
            throw e;
        }

        give(file, stream);
        return bytes;
    }

    /** One that failed, as by an interrupt, may never read again. */
    private static void closeAfter(Exception first, FSDataInputStream stream) {
        try {
            stream.close();
        } catch (IOException second) {
            first.addSuppressed(second);
        }
    }

    private FSDataInputStream take(Path file, long fileBytes) throws IOException {
        FSDataInputStream stream = remove(file);
        return stream == null ? open(file, fileBytes) : stream;
    }

    /** With what spares a request to a store: that of the length, and one of all bytes to the end of the file. */
    private FSDataInputStream open(Path file, long fileBytes) throws IOException {
        return FutureIO.awaitFuture(StorePath.files(file, configuration)
                .openFile(file)
                .opt("fs.option.openfile.length", Long.toString(fileBytes))
                .opt("fs.option.openfile.read.policy", "random")
                .opt("fs.s3a.experimental.input.fadvise", "random") // of Hadoop before 3.3.5
                .build());
    }

    private synchronized @Nullable FSDataInputStream remove(Path file) {
        return streams.remove(file);
    }

    private void give(Path file, FSDataInputStream stream) throws IOException {
        if (stream.hasCapability(StreamCapabilities.UNBUFFER)) {
            stream.unbuffer();
        }

        for (FSDataInputStream surplus : keep(file, stream)) {
            surplus.close();
        }
    }

    /** Gives those that are to be closed. */
    private synchronized List<FSDataInputStream> keep(Path file, FSDataInputStream stream) {
        if (closed) {
            return List.of(stream);
        }

        List<FSDataInputStream> surplus = new ArrayList<>();
        FSDataInputStream other = streams.put(file, stream);
        if (other != null) {
            surplus.add(other);
        }

        if (streams.size() > MOST) {
            Path oldest = streams.keySet().iterator().next();
            surplus.add(streams.remove(oldest));
        }

        return surplus;
    }

    @Override
    public synchronized void close() throws IOException {
        closed = true;
        for (FSDataInputStream stream : streams.values()) {
            stream.close();
        }

        streams.clear();
    }
}
