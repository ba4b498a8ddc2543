package org.sparkqlora.spark;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.io.compress.CompressionCodec;
import org.apache.hadoop.io.compress.CompressionCodecFactory;
import org.jspecify.annotations.Nullable;

/** The lines of one split as UTF-8. A line belongs to the split that holds its first byte. */
final class SplitLines implements AutoCloseable {
    private static final int BUFFER = 1 << 18;
    private static final char BYTE_ORDER_MARK = '\uFEFF';

    private final InputStream in;
    private final long end;
    private final ByteArrayOutputStream line = new ByteArrayOutputStream();
    private long position;

    private SplitLines(InputStream in, long position, long end) {
        this.in = in;
        this.position = position;
        this.end = end;
    }

    static SplitLines open(SourceSplit split, Configuration configuration) throws IOException {
        Path path = new Path(split.file().path());
        FSDataInputStream raw = path.getFileSystem(configuration).open(path);
        try {
            return open(split, raw, new CompressionCodecFactory(configuration).getCodec(path));
        } catch (IOException e) {
            raw.close();
            throw e;
        }
    }

    private static SplitLines open(SourceSplit split, FSDataInputStream raw, @Nullable CompressionCodec codec)
            throws IOException {
        if (codec != null) {
            return new SplitLines(new BufferedInputStream(codec.createInputStream(raw), BUFFER), 0, split.to());
        }

        if (split.from() == 0) {
            return new SplitLines(new BufferedInputStream(raw, BUFFER), 0, split.to());
        }

        raw.seek(split.from() - 1);
        SplitLines lines = new SplitLines(new BufferedInputStream(raw, BUFFER), split.from() - 1, split.to());
        lines.skip(); // the rest of a line that an earlier split has
        return lines;
    }

    /** The next line without its end, or null behind the last. */
    @Nullable
    String next() throws IOException {
        line.reset();
        boolean first = position == 0;
        if (!advance(Keep.LINE)) {
            return null;
        }

        String text = line.toString(StandardCharsets.UTF_8);
        if (first && !text.isEmpty() && text.charAt(0) == BYTE_ORDER_MARK) {
            text = text.substring(1);
        }

        return text.endsWith("\r") ? text.substring(0, text.length() - 1) : text;
    }

    /** Passes over the next line; false behind the last. */
    boolean skip() throws IOException {
        return advance(Keep.NOTHING);
    }

    private boolean advance(Keep keep) throws IOException {
        if (position >= end) {
            return false;
        }

        int read = in.read();
        if (read < 0) {
            return false;
        }

        while (read >= 0 && read != '\n') {
            if (keep == Keep.LINE) {
                line.write(read);
            }

            position++;
            read = in.read();
        }

        position++;
        return true;
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
