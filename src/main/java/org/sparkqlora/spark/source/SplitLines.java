package org.sparkqlora.spark.source;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.Path;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.data.BadRecordException;
import org.sparkqlora.storage.StorePath;

/** The lines of one split as UTF-8. A line belongs to the split that holds its first byte. */
final class SplitLines implements RecordLines {
    private static final int BUFFER = 1 << 18;
    private static final char BYTE_ORDER_MARK = '\uFEFF';

    private final InputStream in;
    private final long end;
    private final int mostBytes; // of a line
    private final ByteArrayOutputStream line = new ByteArrayOutputStream();
    private final byte[] buffer = new byte[BUFFER];
    private int at; // the next byte in the buffer
    private int filled;
    private long position; // of that byte in the file
    private boolean cut; // whether the line was longer than what is kept of it

    private SplitLines(InputStream in, long position, long end, int mostBytes) {
        this.in = in;
        this.position = position;
        this.end = end;
        this.mostBytes = mostBytes;
    }

    static SplitLines open(SourceSplit split, int mostBytes, Configuration configuration) throws IOException {
        SourceFile file = split.file();
        if (file.compressed()) {
            return new SplitLines(Decompression.open(file.path(), configuration), 0, split.to(), mostBytes);
        }

        Path path = new Path(file.path());
        FSDataInputStream raw = StorePath.files(path, configuration).open(path);
        try {
            return open(split, mostBytes, raw);
        } catch (IOException e) {
            raw.close();
            throw e;
        }
    }

    private static SplitLines open(SourceSplit split, int mostBytes, FSDataInputStream raw) throws IOException {
        if (split.from() == 0) {
            return new SplitLines(raw, 0, split.to(), mostBytes);
        }

        raw.seek(split.from() - 1);
        SplitLines lines = new SplitLines(raw, split.from() - 1, split.to(), mostBytes);
        lines.skip(); // the rest of a line that an earlier split has
        return lines;
    }

    /** The next line without its end, or null behind the last. */
    @Override
    public @Nullable String next() throws IOException {
        line.reset();
        cut = false;
        boolean first = position == 0;
        if (!advance(Keep.LINE)) {
            return null;
        }

        if (cut) {
            throw RecordLines.tooLong(mostBytes);
        }

        String text = decoded();
        if (first && !text.isEmpty() && text.charAt(0) == BYTE_ORDER_MARK) {
            text = text.substring(1);
        }

        return text.endsWith("\r") ? text.substring(0, text.length() - 1) : text;
    }

    private String decoded() {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(line.toByteArray()))
                    .toString();
        } catch (CharacterCodingException e) {
            throw new BadRecordException(
                    "Cannot read the record: expected UTF-8, found bytes that are none. Is it in another encoding?", e);
        }
    }

    /** Passes over the next line; false behind the last. */
    @Override
    public boolean skip() throws IOException {
        return advance(Keep.NOTHING);
    }

    private boolean advance(Keep keep) throws IOException {
        if (position >= end || !fill()) {
            return false;
        }

        boolean ended = false;
        while (!ended && fill()) {
            ended = take(keep);
        }

        return true;
    }

    /** Skips the buffered part of the line; true if the line ends in it. */
    private boolean take(Keep keep) {
        int from = at;
        while (at < filled && buffer[at] != '\n') {
            at++;
        }

        if (keep == Keep.LINE) {
            int kept = Math.min(at - from, mostBytes - line.size());
            line.write(buffer, from, kept);
            cut |= kept < at - from;
        }

        boolean ended = at < filled;
        at += ended ? 1 : 0;
        position += at - from;
        return ended;
    }

    /** Whether there is a byte in the buffer, read now if need be. */
    private boolean fill() throws IOException {
        if (at < filled) {
            return true;
        }

        at = 0;
        filled = Math.max(0, in.read(buffer));
        return filled > 0;
    }

    @Override
    public void close() throws IOException {
        in.close();
    }

    private enum Keep {
        LINE,
        NOTHING
    }
}
