package org.sparkqlora.storage;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/**
 * Copies files to this host in ranges, several of which are under way at once: one stream from a store is slower than a disk. Beside a file
 * that is not whole yet lies a list of its ranges that are, a byte each, so that whoever comes after a killed process fetches only the others.
 *
 * @param from the folder of the files
 * @param rangeBytes length of a range but the last
 */
public record RangedFetch(FolderFiles from, int rangeBytes) {
    public static final int RANGE = 8 << 20;

    private static final int AT_ONCE = 8;
    private static final byte DONE = 1;

    public RangedFetch(FolderFiles from) {
        this(from, RANGE);
    }

    /** A range of a file, and whether it is written. */
    private record Range(int number, long from, int count) {}

    /** Makes {@code target} of {@code count} bytes of a file, from byte {@code first} on; it is replaced if it is there. */
    public void part(String name, long first, long count, Path target) throws IOException {
        try (FileChannel out = FileChannel.open(
                target, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
            StoreRequests.sideBySide(ranges(first, count), AT_ONCE, range -> {
                write(out, from.read(name, range.from(), range.count()), range.from() - first);
                return range;
            });
        }
    }

    /** Makes {@code target} of a whole file, or of what is still missing of it there. */
    public void whole(String name, long length, Path target) throws IOException {
        Path list = listOf(target);
        if (!Files.exists(target)) {
            LocalFiles.remove(list); // whose ranges went with it
        }

        if (!Files.exists(list)) {
            if (isWhole(length, target)) {
                return;
            }

            LocalFiles.remove(target);
        }

        try (FileChannel done = FileChannel.open(
                        list, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
                FileChannel out = FileChannel.open(target, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            StoreRequests.sideBySide(missing(ranges(0, length), done), AT_ONCE, range -> {
                write(out, from.read(name, range.from(), range.count()), range.from());
                write(done, new byte[] {DONE}, range.number());
                return range;
            });
        }

        LocalFiles.remove(list);
    }

    /** Takes away a file that is not what it should be, so that it is fetched anew. */
    public static void forget(Path target) throws IOException {
        LocalFiles.remove(listOf(target));
        LocalFiles.remove(target);
    }

    /** Bytes that {@link #whole} would still fetch. */
    public long missing(long length, Path target) throws IOException {
        Path list = listOf(target);
        if (!Files.exists(list)) {
            return isWhole(length, target) ? 0 : length;
        }

        if (!Files.exists(target)) {
            return length;
        }

        try (FileChannel done = FileChannel.open(list, StandardOpenOption.READ)) {
            return missing(ranges(0, length), done).stream()
                    .mapToLong(Range::count)
                    .sum();
        }
    }

    private static boolean isWhole(long length, Path target) throws IOException {
        return Files.exists(target) && Files.size(target) == length;
    }

    private static Path listOf(Path target) {
        return target.resolveSibling(target.getFileName() + ".ranges");
    }

    private static List<Range> missing(List<Range> ranges, FileChannel done) throws IOException {
        ByteBuffer marks = ByteBuffer.allocate(ranges.size());
        for (int at = done.read(marks, 0); at > 0 && marks.hasRemaining(); ) {
            at = done.read(marks, marks.position());
        }

        return ranges.stream()
                .filter(range -> marks.get(range.number()) != DONE)
                .toList();
    }

    private List<Range> ranges(long first, long count) {
        List<Range> ranges = new ArrayList<>();
        for (long at = 0; at < count; at += rangeBytes) {
            ranges.add(new Range(ranges.size(), first + at, (int) Math.min(rangeBytes, count - at)));
        }

        return ranges;
    }

    private static void write(FileChannel out, byte[] bytes, long position) throws IOException {
        ByteBuffer content = ByteBuffer.wrap(bytes);
        while (content.hasRemaining()) {
            position += out.write(content, position);
        }
    }
}
