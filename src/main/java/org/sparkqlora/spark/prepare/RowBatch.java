package org.sparkqlora.spark.prepare;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import org.sparkqlora.tokenizer.packing.TokenRow;

/** Rows that are read together, several ranges of them at once. */
final class RowBatch {
    private final TokenRow[] rows;
    private final CompletableFuture<Void> read;

    private RowBatch(TokenRow[] rows, CompletableFuture<Void> read) {
        this.rows = rows;
        this.read = read;
    }

    /** Reads of one range. */
    interface Source {
        byte[] read(RowRange range);
    }

    /** Begins to read {@code count} rows by the threads of {@code readers}. */
    static RowBatch start(int count, List<RowRange> ranges, Source source, Executor readers) {
        TokenRow[] rows = new TokenRow[count];
        CompletableFuture<?>[] reads = ranges.stream()
                .map(range -> CompletableFuture.runAsync(() -> range.decode(source.read(range), rows), readers))
                .toArray(CompletableFuture<?>[]::new);
        return new RowBatch(rows, CompletableFuture.allOf(reads));
    }

    /** The rows, once all are read. */
    List<TokenRow> await() {
        try {
            read.get();
            return List.of(rows);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            IOException interrupted = new InterruptedIOException("interrupted while rows were read");
            interrupted.initCause(e);
            throw new UncheckedIOException(interrupted);
        } catch (ExecutionException e) {
            throw e.getCause() instanceof RuntimeException failure ? failure : new IllegalStateException(e);
        }
    }
}
