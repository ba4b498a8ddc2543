package org.sparkqlora.storage;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.input.BadInputException;

/**
 * A file on this host that grows by whole lines. They are on the disk when {@link #append} returns; a line that a killed process left
 * without its end is dropped. One process at a time writes it.
 */
public final class LineJournal implements AutoCloseable {
    private static final int LINE_END = '\n';
    private static final int BLOCK = 1 << 16;

    private final Path file;
    private final FileChannel channel;

    private LineJournal(Path file, FileChannel channel) {
        this.file = file;
        this.channel = channel;
    }

    /** Opens the file, or makes an empty one. */
    public static LineJournal open(Path file) throws IOException {
        Files.createDirectories(file.toAbsolutePath().getParent());
        FileChannel channel =
                FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE, StandardOpenOption.CREATE);
        try {
            requireAlone(file, channel);
            LineJournal journal = new LineJournal(file, channel);
            channel.truncate(journal.lastLineEnd());
            channel.position(channel.size());
            return journal;
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    private static void requireAlone(Path file, FileChannel channel) throws IOException {
        try {
            FileLock lock = channel.tryLock(); // until the channel closes
            if (lock != null) {
                return;
            }
        } catch (OverlappingFileLockException e) {
            throw refused(file, e);
        }

        throw refused(file, null);
    }

    private static BadInputException refused(Path file, @Nullable Exception cause) {
        return new BadInputException(
                "Cannot write %s: expected to be alone, found another process that writes it".formatted(file), cause);
    }

    /** The length up to the end of the last whole line. */
    private long lastLineEnd() throws IOException {
        ByteBuffer block = ByteBuffer.allocate(BLOCK);
        for (long end = channel.size(); end > 0; end -= Math.min(end, BLOCK)) {
            long begin = Math.max(0, end - BLOCK);
            block.clear().limit((int) (end - begin));
            while (block.hasRemaining() && channel.read(block, begin + block.position()) >= 0) {
                // until the block is read
            }

            for (int i = block.position() - 1; i >= 0; i--) {
                if (block.get(i) == LINE_END) {
                    return begin + i + 1;
                }
            }
        }

        return 0;
    }

    /** Its lines, to read from the first on. */
    public BufferedReader lines() throws IOException {
        return Files.newBufferedReader(file);
    }

    /** Adds lines. */
    public void append(List<String> lines) throws IOException {
        ByteBuffer bytes = StandardCharsets.UTF_8.encode(String.join("\n", lines) + "\n");
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }

        channel.force(false);
    }

    /** Removes the file, which is not needed any more. */
    public void remove() throws IOException {
        LocalFiles.remove(file);
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
