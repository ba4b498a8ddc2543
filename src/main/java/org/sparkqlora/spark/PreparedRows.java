package org.sparkqlora.spark;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.Path;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.tokenizer.TokenRow;
import org.sparkqlora.tokenizer.TokenRowCodec;
import org.sparkqlora.train.RowReader;

/**
 * Reads prepared rows by number: one positioned read a row, on any Hadoop file system. Files stay open once used. Safe for
 * several tasks at once.
 */
public final class PreparedRows implements RowReader, AutoCloseable {
    private final PreparedData data;
    private final Configuration configuration;
    private final long[] firstRows; // of each file, then the number of rows
    private final @Nullable FSDataInputStream[] open;

    PreparedRows(PreparedData data, Configuration configuration) {
        this.data = data;
        this.configuration = configuration;
        int files = data.manifest().files().size();
        this.firstRows = new long[files + 1];
        for (int i = 0; i < files; i++) {
            firstRows[i + 1] = firstRows[i] + data.manifest().files().get(i).rows();
        }

        this.open = new FSDataInputStream[files];
    }

    @Override
    public long rows() {
        return firstRows[firstRows.length - 1];
    }

    @Override
    public TokenRow read(long row) {
        if (row < 0 || row >= rows()) {
            throw new BadInputException(
                    "Cannot read row %d of %s: it has %d rows".formatted(row, data.folder(), rows()));
        }

        int file = fileOf(row);
        int width = data.manifest().width();
        byte[] bytes = new byte[TokenRowCodec.byteSize(width)];
        try {
            stream(file).readFully((row - firstRows[file]) * bytes.length, bytes);
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to read row %d of %s".formatted(row, path(file)), e);
        }

        return TokenRowCodec.read(ByteBuffer.wrap(bytes), width);
    }

    @Override
    public void close() {
        for (FSDataInputStream stream : open) {
            closeIfOpen(stream);
        }
    }

    private int fileOf(long row) {
        int at = Arrays.binarySearch(firstRows, row);
        return at >= 0 ? at : -at - 2;
    }

    private synchronized FSDataInputStream stream(int file) throws IOException {
        FSDataInputStream stream = open[file];
        if (stream == null) {
            Path path = path(file);
            stream = path.getFileSystem(configuration).open(path);
            open[file] = stream;
        }

        return stream;
    }

    private Path path(int file) {
        return new Path(data.folder(), data.manifest().files().get(file).name());
    }

    private static void closeIfOpen(@Nullable FSDataInputStream stream) {
        if (stream == null) {
            return;
        }

        try {
            stream.close();
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to close a file of prepared rows", e);
        }
    }
}
