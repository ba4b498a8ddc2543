package org.sparkqlora.tensor;

import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.UUID;

/**
 * Bytes outside memory, all zero at the start. POSIX systems take the file's name away as soon as it is open, so that its
 * space is free again when the file is closed or the process ends, however it ends. Safe for use by several threads.
 */
public final class ScratchFile implements AutoCloseable {
    private final Path file;
    private final FileChannel channel;

    private ScratchFile(Path file, FileChannel channel) {
        this.file = file;
        this.channel = channel;
    }

    /** A file of {@code bytes} zeros below {@code folder}; {@code kind} starts its name. */
    public static ScratchFile create(Path folder, String kind, long bytes) {
        Path file = folder.resolve("%s-%s.scratch".formatted(kind, UUID.randomUUID()));
        try {
            Files.createDirectories(folder);
            FileChannel channel = FileChannel.open(
                    file,
                    StandardOpenOption.CREATE_NEW,
                    StandardOpenOption.READ,
                    StandardOpenOption.WRITE,
                    StandardOpenOption.SPARSE,
                    StandardOpenOption.DELETE_ON_CLOSE);
            channel.write(ByteBuffer.allocate(1), bytes); // what lies before reads as zeros
            return new ScratchFile(file, channel);
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to create scratch file " + file, e);
        }
    }

    /** Fills what remains of {@code target} with the bytes from {@code at} on. */
    public void read(long at, ByteBuffer target) {
        long start = at - target.position();
        try {
            while (target.hasRemaining()) {
                if (channel.read(target, start + target.position()) < 0) {
                    throw new EOFException("the file ends before byte " + (start + target.limit()));
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to read scratch file " + file, e);
        }
    }

    /** Replaces the bytes from {@code at} on by what remains of {@code source}. */
    public void write(long at, ByteBuffer source) {
        long start = at - source.position();
        try {
            while (source.hasRemaining()) {
                channel.write(source, start + source.position());
            }
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to write scratch file " + file, e);
        }
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to delete scratch file " + file, e);
        }
    }
}
