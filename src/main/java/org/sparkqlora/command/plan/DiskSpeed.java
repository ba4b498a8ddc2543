package org.sparkqlora.command.plan;

import com.sun.nio.file.ExtendedOpenOption;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The speed of reading from a disk in order.
 *
 * @param source where the number comes from
 */
record DiskSpeed(double bytesPerSecond, String source) {
    /** Of a common NVMe disk, a third of what its maker says. */
    static final DiskSpeed ASSUMED = new DiskSpeed(2e9, "assumed");

    private static final int PIECE = 1 << 22;
    private static final long MOST = 1L << 28;
    private static final double NANOS = 1e9;

    /** Reads a part of the largest weights in {@code folder} past the page cache; where there are none, assumes. */
    static DiskSpeed of(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            Optional<Path> largest = files.filter(file -> file.toString().endsWith(".safetensors"))
                    .max(Comparator.comparingLong(file -> file.toFile().length()));
            return largest.isPresent() ? measured(largest.get()) : ASSUMED;
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to read " + folder, e);
        }
    }

    private static DiskSpeed measured(Path file) throws IOException {
        int block = Math.toIntExact(Files.getFileStore(file).getBlockSize());
        ByteBuffer piece = ByteBuffer.allocateDirect(PIECE + block).alignedSlice(block);
        piece.limit(PIECE);
        long begin = System.nanoTime();
        long done = 0;
        try (FileChannel channel = open(file)) {
            int count = PIECE;
            while (count == PIECE && done < MOST) {
                piece.clear().limit(PIECE);
                count = channel.read(piece);
                done += Math.max(count, 0);
            }
        } catch (FileSystemException | UnsupportedOperationException e) {
            return new DiskSpeed(ASSUMED.bytesPerSecond, "assumed: " + e.getMessage());
        }

        return new DiskSpeed(done / ((System.nanoTime() - begin) / NANOS), "measured");
    }

    private static FileChannel open(Path file) throws IOException {
        return FileChannel.open(file, StandardOpenOption.READ, ExtendedOpenOption.DIRECT);
    }
}
