package org.sparkqlora.bigdl;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.file.Path;

/**
 * Counts the records of an event file that grows: each is its length (int64, little endian), a checksum of that (4 bytes), as
 * many bytes, and a checksum of those (4 bytes).
 */
final class WrittenRecords {
    private static final int BEFORE = Long.BYTES + Integer.BYTES;
    private static final int BEHIND = Integer.BYTES;

    private final Path file;
    private long end;
    private long count;

    WrittenRecords(Path file) {
        this.file = file;
    }

    Path file() {
        return file;
    }

    /** Records that are there as a whole. */
    long count() {
        try (RandomAccessFile records = new RandomAccessFile(file.toFile(), "r")) {
            for (long next = next(records); next <= records.length(); next = next(records)) {
                end = next;
                count++;
            }

            return count;
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to read " + file, e);
        }
    }

    /** The end of the record after the last whole one; {@link Long#MAX_VALUE} if its length is missing. */
    private long next(RandomAccessFile records) throws IOException {
        if (end + BEFORE > records.length()) {
            return Long.MAX_VALUE;
        }

        records.seek(end);
        return end + BEFORE + Long.reverseBytes(records.readLong()) + BEHIND;
    }
}
