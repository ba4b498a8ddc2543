package org.sparkqlora.checkpoint;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.apache.hadoop.util.Progressable;

/**
 * A store over local folders that creates no part of a state while its gate is closed, in whatever process. Its scheme is {@code gated}.
 */
public final class GatedStore extends RawLocalFileSystem {
    private static final String SCHEME = "gated";
    private static final String GATE = "fs.gated.gate";
    private static final long PAUSE_MILLIS = 5;

    private java.nio.file.Path gate = java.nio.file.Path.of("none");

    /** Makes {@code gated:} paths known, and closes the gate. */
    public static void install(Configuration configuration, java.nio.file.Path gate) {
        configuration.set("fs.gated.impl", GatedStore.class.getName());
        configuration.setBoolean("fs.gated.impl.disable.cache", true);
        configuration.set(GATE, gate.toString());
        try {
            Files.writeString(gate, "closed");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public static void open(java.nio.file.Path gate) {
        try {
            Files.delete(gate);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A folder as this file system calls it. */
    public static Path path(java.nio.file.Path folder) {
        return new Path(SCHEME + "://" + folder);
    }

    @Override
    public void initialize(URI uri, Configuration configuration) throws IOException {
        super.initialize(uri, configuration);
        gate = java.nio.file.Path.of(configuration.get(GATE));
    }

    @Override
    public URI getUri() {
        return URI.create(SCHEME + ":///");
    }

    @Override
    public FSDataOutputStream create(
            Path file, boolean overwrite, int bufferSize, short replication, long blockSize, Progressable progress)
            throws IOException {
        while (CheckpointDraft.isPart(file.getName()) && Files.exists(gate)) {
            pause();
        }

        return super.create(file, overwrite, bufferSize, replication, blockSize, progress);
    }

    private static void pause() throws InterruptedIOException {
        try {
            Thread.sleep(PAUSE_MILLIS);
        } catch (InterruptedException e) {
            throw (InterruptedIOException) new InterruptedIOException("interrupted at the gate").initCause(e);
        }
    }
}
