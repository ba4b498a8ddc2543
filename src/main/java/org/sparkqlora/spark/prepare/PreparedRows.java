package org.sparkqlora.spark.prepare;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.tokenizer.packing.RowLayout;
import org.sparkqlora.tokenizer.packing.TokenRow;
import org.sparkqlora.train.RowReader;

/**
 * Reads prepared rows by number, on any Hadoop file system: rows of a batch that lie together in one request, and several requests at
 * once. Safe for several tasks at once, which share the requests: a store has a limited number of connections.
 */
public final class PreparedRows implements RowReader, AutoCloseable {
    /** Requests at once. */
    static final int MOST_REQUESTS = 8;

    private static final long MOST_BYTES_AHEAD = 1 << 26;

    private final PreparedData data;
    private final RowLayout layout;
    private final RowIndex index;
    private final IdleStreams streams;
    private final ReadAhead ahead;
    private final ExecutorService readers =
            Executors.newFixedThreadPool(MOST_REQUESTS, Workers.daemons("prepared-rows"));

    PreparedRows(PreparedData data, Configuration configuration) {
        this.data = data;
        this.layout = data.manifest().layout();
        this.index = new RowIndex(data.manifest().files());
        this.streams = new IdleStreams(configuration);
        this.ahead = new ReadAhead(this::start, MOST_BYTES_AHEAD / layout.byteSize());
    }

    @Override
    public long rows() {
        return index.rows();
    }

    @Override
    public TokenRow read(long row) {
        return readAll(row).get(0);
    }

    @Override
    public List<TokenRow> readAll(long... numbers) {
        return start(numbers).await();
    }

    @Override
    public List<TokenRow> readAhead(long[] now, long[] next) {
        return ahead.read(now, next);
    }

    private RowBatch start(long... numbers) {
        List<RowRange> ranges =
                RowRange.of(Arrays.stream(numbers).mapToObj(this::place).toList(), layout);
        return RowBatch.start(numbers.length, ranges, this::read, readers);
    }

    private RowIndex.Place place(long row) {
        if (row < 0 || row >= rows()) {
            throw new BadInputException(
                    "Cannot read row %d of %s: it has %d rows".formatted(row, data.folder(), rows()));
        }

        return index.at(row);
    }

    private byte[] read(RowRange range) {
        Path path = new Path(data.folder(), range.file().name());
        try {
            long fileBytes = range.file().rows() * layout.byteSize();
            return streams.read(path, fileBytes, range.start(), range.bytes());
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to read rows of " + path, e);
        }
    }

    @Override
    public void close() {
        readers.shutdown();
        try {
            streams.close();
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to close the files of prepared rows in " + data.folder(), e);
        }
    }
}
