package org.sparkqlora.spark.cluster;

import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * Resources that take long to open, such as a base model or a tokenizer: each is opened once a process and stays open from task
 * to task, until another one is asked for and no one uses it any more. A process has room for few. Safe for use by several threads.
 */
public final class SharedResources<T> {
    private final Consumer<T> close;
    private final Map<String, Shared<T>> byKey = new HashMap<>();

    /** @param close ends the use of one by the process */
    public SharedResources(Consumer<T> close) {
        this.close = close;
    }

    /** The one of {@code key}, to be closed by each that asked for it; {@code open} opens it the first time. */
    public synchronized Lease lease(String key, Supplier<T> open) {
        Shared<T> shared = byKey.get(key);
        if (shared == null) {
            closeUnused();
            shared = new Shared<>(open.get());
            byKey.put(key, shared);
        }

        shared.leases++;
        return new Lease(shared);
    }

    private void closeUnused() {
        for (Iterator<Shared<T>> all = byKey.values().iterator(); all.hasNext(); ) {
            Shared<T> shared = all.next();
            if (shared.leases == 0) {
                all.remove();
                close.accept(shared.resource);
            }
        }
    }

    private synchronized void giveBack(Shared<T> shared) {
        shared.leases--;
    }

    private static final class Shared<T> {
        private final T resource;
        private int leases;

        private Shared(T resource) {
            this.resource = resource;
        }
    }

    /** The right to use one. */
    public final class Lease implements AutoCloseable {
        private final Shared<T> shared;
        private boolean closed;

        private Lease(Shared<T> shared) {
            this.shared = shared;
        }

        public T get() {
            return shared.resource;
        }

        @Override
        public void close() {
            if (!closed) {
                closed = true;
                giveBack(shared);
            }
        }
    }
}
