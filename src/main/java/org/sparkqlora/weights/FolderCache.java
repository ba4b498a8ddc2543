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
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.storage.NewFolder;

/**
 * Folders on local disk that are written once a host and read by every process. Each appears whole, by a rename, and a lock
 * file makes other processes wait for it. What a killed process left is never used and is removed by the next writer.
 *
 * @param root where they are, which is made when it is first needed
 * @param label what messages call it
 */
public record FolderCache(Path root, String label) {
    private static final long POLL_MILLIS = 50;

    /**
     * The folder {@code name}, written now if it is not there.
     *
     * @param write makes the folder that it is given, whole or not at all
     */
    public Path folder(String name, Consumer<Path> write) {
        Path folder = root.resolve(name);
        if (!Files.exists(folder)) {
            writeLocked(folder, write);
        }

        return folder;
    }

    private void writeLocked(Path folder, Consumer<Path> write) {
        try {
            Files.createDirectories(root);
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to create the %s %s".formatted(label, root), e);
        }

        Path lockFile = folder.resolveSibling(folder.getFileName() + ".lock");
        try (FileChannel channel = FileChannel.open(lockFile, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                FileLock lock = lock(channel)) {
            if (lock.isValid() && !Files.exists(folder)) {
                NewFolder.sweep(folder);
                write.accept(folder);
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
}
