package org.sparkqlora.http;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodySubscriber;
import java.net.http.HttpTimeoutException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The body of a server's answer, as a stream that never waits without end: a read fails when no byte came for so long. The
 * time-out of Java's own client ends at the headers.
 */
public final class AnswerBody extends InputStream {
    private static final ByteBuffer EMPTY = ByteBuffer.allocate(0);

    private final Duration silence;
    private final Arrival arrival = new Arrival();
    private Iterator<ByteBuffer> buffers = List.<ByteBuffer>of().iterator();
    private ByteBuffer current = EMPTY;
    private long nanosLeft = Long.MAX_VALUE;
    private boolean ended;

    private AnswerBody(Duration silence) {
        this.silence = silence;
    }

    /** Makes bodies of which no read waits longer than {@code silence} for a byte. */
    public static BodyHandler<AnswerBody> within(Duration silence) {
        return head -> new AnswerBody(silence).arrival;
    }

    /**
     * The whole of a small answer as text.
     *
     * @param mostBytes that it may have
     * @param time that it may be waited for, over all reads
     */
    public String text(int mostBytes, Duration time) throws IOException {
        nanosLeft = time.toNanos();
        byte[] bytes = readNBytes(mostBytes + 1);
        if (bytes.length > mostBytes) {
            throw new IOException("expected an answer of at most %d bytes, found more".formatted(mostBytes));
        }

        return new String(bytes, StandardCharsets.UTF_8);
    }

    @Override
    public int read() throws IOException {
        return advance() ? current.get() & 0xff : -1;
    }

    @Override
    public int read(byte[] bytes, int from, int count) throws IOException {
        Objects.checkFromIndexSize(from, count, bytes.length);
        if (count == 0 || !advance()) {
            return count == 0 ? 0 : -1;
        }

        int read = Math.min(count, current.remaining());
        current.get(bytes, from, read);
        return read;
    }

    /** Ends the connection if there is more to come. */
    @Override
    public void close() {
        ended = true;
        current = EMPTY;
        arrival.cancel();
    }

    /** Whether there is a byte, once it is known. */
    private boolean advance() throws IOException {
        while (!current.hasRemaining() && !ended) {
            if (buffers.hasNext()) {
                current = buffers.next();
            } else {
                take();
            }
        }

        return current.hasRemaining();
    }

    private void take() throws IOException {
        Part part = await();
        if (part.failure() != null) {
            throw new IOException("the connection broke: " + part.failure(), part.failure());
        }

        ended = part.isLast();
        buffers = part.buffers().iterator();
        if (!ended) {
            arrival.demand();
        }
    }

    private Part await() throws IOException {
        long begin = System.nanoTime();
        long patience = Math.min(silence.toNanos(), nanosLeft);
        try {
            Part part = arrival.parts.poll(patience, TimeUnit.NANOSECONDS);
            nanosLeft -= Math.min(nanosLeft, System.nanoTime() - begin);
            if (part != null) {
                return part;
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw (IOException) new InterruptedIOException("interrupted while an answer came").initCause(e);
        }

        close();
        throw new HttpTimeoutException("the answer stopped: no byte came for %.1f s".formatted(patience / 1e9));
    }

    /**
     * Buffers received together.
     *
     * @param buffers in order; none in the last part
     * @param failure that ended the body; null: none
     */
    private record Part(
            List<ByteBuffer> buffers,
            boolean isLast,
            @Nullable Throwable failure) {}

    /** The side of the body that Java's client fills, with its threads. */
    private final class Arrival implements BodySubscriber<AnswerBody> {
        private final BlockingQueue<Part> parts = new LinkedBlockingQueue<>();
        private Flow.@Nullable Subscription subscription;
        private boolean isCancelled;

        @Override
        public CompletionStage<AnswerBody> getBody() {
            return CompletableFuture.completedStage(AnswerBody.this);
        }

        @Override
        public synchronized void onSubscribe(Flow.Subscription begun) {
            subscription = begun;
            if (isCancelled) {
                begun.cancel();
            } else {
                begun.request(1);
            }
        }

        @Override
        public void onNext(List<ByteBuffer> buffers) {
            parts.add(new Part(List.copyOf(buffers), false, null));
        }

        @Override
        public void onError(Throwable failure) {
            parts.add(new Part(List.of(), true, failure));
        }

        @Override
        public void onComplete() {
            parts.add(new Part(List.of(), true, null));
        }

        private synchronized void demand() {
            if (subscription != null) {
                subscription.request(1);
            }
        }

        private synchronized void cancel() {
            isCancelled = true;
            if (subscription != null) {
                subscription.cancel();
            }
        }
    }
}
