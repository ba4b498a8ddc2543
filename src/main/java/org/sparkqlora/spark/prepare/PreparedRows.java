package org.sparkqlora.spark.prepare;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.StreamCapabilities;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.tokenizer.TokenRow;
import org.sparkqlora.tokenizer.TokenRowCodec;
import org.sparkqlora.train.RowReader;

/** Reads prepared rows by number: one positioned read a row, on any Hadoop file system. Safe for several tasks at once. */
public final class PreparedRows implements RowReader, AutoCloseable {
    private final PreparedData data;
    private final List<SourceRows> sources;
    private final RowOrder order;
    private final IdleStreams idle;

    PreparedRows(PreparedData data, Configuration configuration) {
        this.data = data;
        this.sources = SourceRows.of(data.manifest().files());
        this.order = new RowOrder(sources.stream().mapToLong(SourceRows::rows).toArray());
        this.idle = new IdleStreams(configuration);
    }

    @Override
    public long rows() {
        return sources.stream().mapToLong(SourceRows::rows).sum();
    }

    @Override
    public TokenRow read(long row) {
        if (row < 0 || row >= rows()) {
            throw new BadInputException(
                    "Cannot read row %d of %s: it has %d rows".formatted(row, data.folder(), rows()));
        }

        RowOrder.Place place = order.at(row);
        SourceRows source = sources.get(place.source());
        int file = source.fileOf(place.row());
        Path path = new Path(data.folder(), source.files().get(file).name());
        return read(path, place.row() - source.firstRows()[file]);
    }

    private TokenRow read(Path path, long rowOfFile) {
        int width = data.manifest().width();
        byte[] bytes = new byte[TokenRowCodec.byteSize(width)];
        try {
            FSDataInputStream stream = idle.take(path);
            try {
                stream.readFully(rowOfFile * bytes.length, bytes);
            } finally {
                idle.give(path, stream);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to read row %d of %s".formatted(rowOfFile, path), e);
        }

        return TokenRowCodec.read(ByteBuffer.wrap(bytes), width);
    }

    @Override
    public void close() {
        try {
            idle.close();
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to close the files of prepared rows in " + data.folder(), e);
        }
    }

    /**
     * Rows of one source.
     *
     * @param files in their order
     * @param firstRows of each file, then the number of rows
     */
    private record SourceRows(List<PreparedFile> files, long[] firstRows) {
        private static List<SourceRows> of(List<PreparedFile> files) {
            int count = 1 + files.stream().mapToInt(PreparedFile::source).max().orElse(0);
            List<SourceRows> sources = new ArrayList<>();
            for (int number = 0; number < count; number++) {
                int source = number;
                sources.add(ofOne(
                        files.stream().filter(file -> file.source() == source).toList()));
            }

            return sources;
        }

        private static SourceRows ofOne(List<PreparedFile> files) {
            long[] firstRows = new long[files.size() + 1];
            for (int i = 0; i < files.size(); i++) {
                firstRows[i + 1] = firstRows[i] + files.get(i).rows();
            }

            return new SourceRows(files, firstRows);
        }

        private long rows() {
            return firstRows[firstRows.length - 1];
        }

        private int fileOf(long row) {
            int at = Arrays.binarySearch(firstRows, row);
            return at >= 0 ? at : -at - 2;
        }
    }

    /**
     * Files that were read lately and that no task reads now. They hold no connection: a store has fewer than there may be files
     * of rows.
     */
    private static final class IdleStreams implements AutoCloseable {
        private static final int MOST = 64;

        private final Configuration configuration;
        private final Map<Path, FSDataInputStream> streams = new LinkedHashMap<>(); // the oldest first

        private IdleStreams(Configuration configuration) {
            this.configuration = configuration;
        }

        private FSDataInputStream take(Path path) throws IOException {
            FSDataInputStream stream = remove(path);
            return stream == null ? path.getFileSystem(configuration).open(path) : stream;
        }

        private synchronized @Nullable FSDataInputStream remove(Path path) {
            return streams.remove(path);
        }

        private void give(Path path, FSDataInputStream stream) throws IOException {
            if (stream.hasCapability(StreamCapabilities.UNBUFFER)) {
                stream.unbuffer();
            }

            for (FSDataInputStream surplus : keep(path, stream)) {
                surplus.close();
            }
        }

        private synchronized List<FSDataInputStream> keep(Path path, FSDataInputStream stream) {
            List<FSDataInputStream> surplus = new ArrayList<>();
            FSDataInputStream other = streams.put(path, stream);
            if (other != null) {
                surplus.add(other);
            }

            if (streams.size() > MOST) {
                Path oldest = streams.keySet().iterator().next();
                surplus.add(streams.remove(oldest));
            }

            return surplus;
        }

        @Override
        public synchronized void close() throws IOException {
            for (FSDataInputStream stream : streams.values()) {
                stream.close();
            }

            streams.clear();
        }
    }
}
