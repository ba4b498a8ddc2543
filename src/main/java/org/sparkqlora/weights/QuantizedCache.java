package org.sparkqlora.weights;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.quant.QuantSpec;
import org.sparkqlora.quant.Workers;

/**
 * 4-bit copies of models on local disk, written once a host and mapped by every process. A copy's folder is named by what it
 * was made from; it appears whole, by a rename, and a lock file makes other processes wait for it. What a killed process left
 * is never used and is removed by the next writer.
 */
public final class QuantizedCache {
    private static final String LAYOUT = "1";
    private static final long POLL_MILLIS = 50;

    private final Path root;

    /** A cache under the folder {@code cacheRoot}, which is made when it is first needed. */
    public QuantizedCache(Path cacheRoot) {
        this.root = cacheRoot;
    }

    /** The 4-bit copy of {@code source}, written now if it is not there; {@code source} itself when it is a 4-bit model. */
    public WeightFolder open(WeightFolder source, QuantSpec spec, Workers workers) {
        if (source.quantized()) {
            return source;
        }

        Path folder = root.resolve(SourceFingerprint.of(source, LAYOUT + " " + spec));
        if (!Files.exists(folder)) {
            writeLocked(source, spec, workers, folder);
        }

        return reopen(folder);
    }

    private void writeLocked(WeightFolder source, QuantSpec spec, Workers workers, Path folder) {
        try {
            Files.createDirectories(root);
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to create the quantised cache " + root, e);
        }

        Path lockFile = folder.resolveSibling(folder.getFileName() + ".lock");
        try (FileChannel channel = FileChannel.open(lockFile, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                FileLock lock = lock(channel)) {
            if (lock.isValid() && !Files.exists(folder)) {
                FreshFolder.sweep(folder);
                FourBitFolder.write(source, spec, workers, folder);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to lock " + lockFile, e);
        }
    }

    /** A file lock belongs to the whole JVM, so threads of one JVM must poll; so do processes, for one way to wait. */
    private static FileLock lock(FileChannel channel) throws IOException {
        try {
            while (true) {
                FileLock lock = tryLock(channel);
                if (lock != null) {
                    return lock;
                }

                Thread.sleep(POLL_MILLIS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw (IOException) new InterruptedIOException("interrupted while another process writes").initCause(e);
        }
    }

    private static @Nullable FileLock tryLock(FileChannel channel) throws IOException {
        try {
            return channel.tryLock();
        } catch (OverlappingFileLockException e) {
            return null; // another thread of this JVM holds it
        }
    }

    private static WeightFolder reopen(Path folder) {
        try {
            return WeightFolder.open(folder);
        } catch (InvalidWeightsException e) {
            throw new InvalidWeightsException(
                    "Cannot use the quantised cache %s: it was damaged after it was written. Delete that folder; it is then written again. %s"
                            .formatted(folder, e.getMessage()),
                    e);
        }
    }
}
