package org.sparkqlora;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/** Files that many builds use, made by the first process that wants them while others wait. */
public final class MadeOnce {
    /** Where builds keep what the next one uses again. */
    public static final Path CACHE = Path.of(System.getProperty("user.home"), ".cache", "spark-qlora");

    private MadeOnce() {}

    /** Writes the file. */
    public interface Maker {
        void write(Path file) throws IOException, InterruptedException;
    }

    /** Returns once {@code file} is there whole. */
    public static synchronized Path of(Path file, Maker maker) throws IOException, InterruptedException {
        if (!Files.exists(file)) {
            Files.createDirectories(file.resolveSibling("."));
            Path lockFile = file.resolveSibling(file.getFileName() + ".lock");
            try (FileChannel channel = FileChannel.open(lockFile, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                    FileLock lock = channel.lock()) {
                if (lock.isValid() && !Files.exists(file)) {
                    Path fresh = file.resolveSibling(file.getFileName() + ".unfinished");
                    maker.write(fresh);
                    Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
                }
            }
        }

        return file;
    }
}
