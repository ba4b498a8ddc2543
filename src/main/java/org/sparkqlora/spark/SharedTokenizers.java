package org.sparkqlora.spark;

import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import java.util.function.Supplier;
import org.sparkqlora.tokenizer.ModelTokenizer;

/**
 * The tokenizers of this process: opening one takes as long as encoding a thousand records, so it stays open from task to task
 * until another one is asked for and no one uses it any more. Safe for use by several threads.
 */
final class SharedTokenizers {
    private final Map<String, Shared> byKey = new HashMap<>();

    /** The tokenizer of {@code key}, to be closed by each that asked for it; {@code open} opens it the first time. */
    synchronized Lease lease(String key, Supplier<ModelTokenizer> open) {
        Shared shared = byKey.get(key);
        if (shared == null) {
            closeUnused();
            shared = new Shared(open.get());
            byKey.put(key, shared);
        }

        shared.leases++;
        return new Lease(shared);
    }

    private void closeUnused() {
        for (Iterator<Shared> all = byKey.values().iterator(); all.hasNext(); ) {
            Shared shared = all.next();
            if (shared.leases == 0) {
                all.remove();
                shared.tokenizer.close();
            }
        }
    }

    private synchronized void giveBack(Shared shared) {
        shared.leases--;
    }

    private static final class Shared {
        private final ModelTokenizer tokenizer;
        private int leases;

        private Shared(ModelTokenizer tokenizer) {
            this.tokenizer = tokenizer;
        }
    }

    /** The right to use a tokenizer. */
    final class Lease implements AutoCloseable {
        private final Shared shared;
        private boolean closed;

        private Lease(Shared shared) {
            this.shared = shared;
        }

        ModelTokenizer tokenizer() {
            return shared.tokenizer;
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
