package org.sparkqlora.storage;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Requests to a store, several at once where there are many: each takes as long as the way there and back. */
public final class StoreRequests {
    /** Fewer than a store has connections. */
    static final int AT_ONCE = 16;

    private StoreRequests() {}

    /** A request about one of many things. */
    @FunctionalInterface
    public interface Request<T, R> {
        R send(T about) throws IOException;
    }

    /** The answers about all {@code things}, in their order; a failure is that of the first thing that has one. */
    public static <T, R> List<R> all(List<T> things, Request<T, R> request) throws IOException {
        return things.size() <= AT_ONCE ? inTurn(things, request) : sideBySide(things, AT_ONCE, request);
    }

    private static <T, R> List<R> inTurn(List<T> things, Request<T, R> request) throws IOException {
        List<R> answers = new ArrayList<>();
        for (T thing : things) {
            answers.add(request.send(thing));
        }

        return answers;
    }

    /** As {@link #all}, for requests that take long each, such as reading a file: side by side however few they are. */
    public static <T, R> List<R> allLong(List<T> things, Request<T, R> request) throws IOException {
        return things.size() == 1 ? inTurn(things, request) : sideBySide(things, AT_ONCE, request);
    }

    /** As {@link #all}, {@code atOnce} at a time however few they are: each is long. */
    static <T, R> List<R> sideBySide(List<T> things, int atOnce, Request<T, R> request) throws IOException {
        ExecutorService threads = Executors.newFixedThreadPool(atOnce, StoreRequests::daemon);
        try {
            List<Future<R>> sent = new ArrayList<>();
            for (T thing : things) {
                sent.add(threads.submit(() -> request.send(thing)));
            }

            return inTurn(sent, StoreRequests::answer);
        } finally {
            threads.shutdownNow();
        }
    }

    private static Thread daemon(Runnable work) {
        Thread thread = new Thread(work, "store-requests");
        thread.setDaemon(true);
        return thread;
    }

    private static <R> R answer(Future<R> sent) throws IOException {
        try {
            return sent.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw (IOException) new InterruptedIOException("interrupted while a store answered").initCause(e);
        } catch (ExecutionException e) {
            throw failure(e);
        }
    }

    private static IOException failure(ExecutionException e) {
        if (e.getCause() instanceof Error error) {
            throw error;
        }

        if (e.getCause() instanceof RuntimeException unchecked) {
            throw unchecked;
        }

        return e.getCause() instanceof IOException checked ? checked : new IOException(e);
    }
}
