package org.sparkqlora.spark.prepare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.storage.CountingStore;
import org.sparkqlora.tokenizer.EncodedExample;
import org.sparkqlora.tokenizer.packing.TokenRow;
import org.sparkqlora.tokenizer.packing.TokenRowCodec;

class PreparedRowsTest {
    private static final int WIDTH = 1024;
    private static final int TASKS = 4;
    private static final int IDLE_STREAMS = 64;

    @TempDir
    Path folder;

    @Test
    void manyFilesAreReadWithFewStreamsAndFewConnections() throws IOException {
        Configuration configuration = CountingStore.install();
        try (PreparedRows rows = write(200, 2).reader(configuration)) {
            Stream.generate(() -> CompletableFuture.runAsync(() -> readAllShuffled(rows)))
                    .limit(TASKS)
                    .toList()
                    .forEach(CompletableFuture::join);

            assertThat(CountingStore.CONNECTIONS.most()).isBetween(1, PreparedRows.MOST_REQUESTS);
            assertThat(CountingStore.OPEN.most()).isLessThanOrEqualTo(IDLE_STREAMS + PreparedRows.MOST_REQUESTS);
            assertThat(CountingStore.CONNECTIONS.now()).isZero();
        }

        assertThat(CountingStore.OPEN.now()).isZero();
    }

    @Test
    void rowsOfABatchAreReadSideBySide() throws IOException {
        Configuration configuration = CountingStore.install();
        try (PreparedRows rows = write(PreparedRows.MOST_REQUESTS, 1).reader(configuration)) {
            CountingStore.answerTogether(PreparedRows.MOST_REQUESTS);

            assertThat(firstIds(rows.readAll(LongStream.range(0, rows.rows()).toArray())))
                    .containsExactly(0, 1, 2, 3, 4, 5, 6, 7);
        }
    }

    @Test
    void neighboursAreOneRequestAndComeInTheOrderAskedFor() throws IOException {
        Configuration configuration = CountingStore.install();
        try (PreparedRows rows = write(1, 64).reader(configuration)) {
            assertThat(firstIds(rows.readAll(20, 10, 11, 10, 13))).containsExactly(20, 10, 11, 10, 13);
            assertThat(CountingStore.REQUESTS).hasValue(1);
        }
    }

    @Test
    void rowsFarApartAndLongStretchesTakeSeveralRequests() throws IOException {
        Configuration configuration = CountingStore.install();
        try (PreparedRows rows = write(1, 2048).reader(configuration)) {
            assertThat(firstIds(rows.readAll(0, 2047))).containsExactly(0, 2047);
            assertThat(CountingStore.REQUESTS).hasValue(2);

            assertThat(rows.readAll(LongStream.range(0, 2048).toArray())).hasSize(2048);
            assertThat(CountingStore.REQUESTS).hasValueBetween(4, 6);
        }
    }

    @Test
    void noRowsAreReadWithoutARequest() throws IOException {
        Configuration configuration = CountingStore.install();
        try (PreparedRows rows = write(1, 1).reader(configuration)) {
            assertThat(rows.readAll()).isEmpty();
            assertThat(CountingStore.REQUESTS).hasValue(0);
        }
    }

    @Test
    void aStreamThatFailedIsNotReadAgain() throws IOException {
        Configuration configuration = CountingStore.install();
        try (PreparedRows rows = write(1, 3).reader(configuration)) {
            CountingStore.fail(1);

            assertThatThrownBy(() -> rows.read(1))
                    .isInstanceOf(UncheckedIOException.class)
                    .hasMessage("Failed to read rows of %s/rows-0.bin".formatted(CountingStore.path(folder)))
                    .hasRootCauseMessage("connection reset");
            assertThat(CountingStore.OPEN.now()).isZero();
            assertThat(firstIds(rows.readAll(1))).containsExactly(1);
        }
    }

    @Test
    void aTaskThatIsInterruptedWaitsNoLonger() throws IOException {
        Configuration configuration = CountingStore.install();
        try (PreparedRows rows = write(1, 3).reader(configuration)) {
            CountingStore.answerTogether(2);
            Thread.currentThread().interrupt();

            assertThatThrownBy(() -> rows.read(1))
                    .isInstanceOf(UncheckedIOException.class)
                    .hasMessage("java.io.InterruptedIOException: interrupted while rows were read");
            assertThat(Thread.interrupted()).isTrue();
            assertThat(firstIds(rows.readAll(2))).containsExactly(2);
        }
    }

    @Test
    void aStreamThatIsReadWhileTheRowsAreClosedDoesNotStayOpen() throws IOException {
        Configuration configuration = CountingStore.install();
        PreparedData data = write(2, 1);
        PreparedRows rows = data.reader(configuration);
        CountingStore.answerTogether(2);
        CompletableFuture<TokenRow> late = CompletableFuture.supplyAsync(() -> rows.read(0));
        await().until(() -> CountingStore.REQUESTS.get() == 1);

        rows.close();
        try (PreparedRows others = data.reader(configuration)) {
            others.read(1);
        }

        assertThat(late.join().ids()[0]).isZero();
        assertThat(CountingStore.OPEN.now()).isZero();
    }

    @Test
    void theNextBatchIsReadAheadOnceTheOneBeforeWasForeseen() throws IOException {
        Configuration configuration = CountingStore.install();
        try (PreparedRows rows = write(4, 1).reader(configuration)) {
            assertThat(firstIds(rows.readAhead(batch(0), batch(1)))).containsExactly(0);
            assertThat(firstIds(rows.readAhead(batch(1), batch(2)))).containsExactly(1);
            await().until(() -> CountingStore.REQUESTS.get() == 3);
            assertThat(firstIds(rows.readAhead(batch(2), batch()))).containsExactly(2);
            assertThat(CountingStore.REQUESTS).hasValue(3);
        }
    }

    private static long[] batch(long... rows) {
        return rows;
    }

    private static void readAllShuffled(PreparedRows rows) {
        List<Long> numbers =
                new ArrayList<>(LongStream.range(0, rows.rows()).boxed().toList());
        Collections.shuffle(numbers, new Random(7));
        int[] expected = numbers.stream().mapToInt(Long::intValue).toArray();
        assertThat(firstIds(
                        rows.readAll(numbers.stream().mapToLong(Long::longValue).toArray())))
                .containsExactly(expected);
    }

    private static int[] firstIds(List<TokenRow> rows) {
        return rows.stream().mapToInt(row -> row.ids()[0]).toArray();
    }

    /** Files of rows whose first id is the number of the row. */
    private PreparedData write(int files, int rowsOfFile) throws IOException {
        List<PreparedFile> written = new ArrayList<>();
        for (int file = 0; file < files; file++) {
            ByteBuffer bytes = ByteBuffer.allocate(rowsOfFile * TokenRowCodec.byteSize(WIDTH));
            for (int row = 0; row < rowsOfFile; row++) {
                TokenRowCodec.write(row(file * rowsOfFile + row), bytes);
            }

            String name = "rows-%d.bin".formatted(file);
            Files.write(folder.resolve(name), bytes.array());
            written.add(new PreparedFile(name, rowsOfFile, ""));
        }

        return new PreparedData(
                CountingStore.path(folder),
                new Manifest("a", WIDTH, written, PreparationCounts.NONE, TokenIds.UNKNOWN));
    }

    private static TokenRow row(int number) {
        return TokenRow.of(List.of(new EncodedExample(new int[] {number, 1}, new boolean[] {false, true})), WIDTH);
    }
}
