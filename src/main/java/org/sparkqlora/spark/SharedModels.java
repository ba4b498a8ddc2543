package org.sparkqlora.spark;

import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import org.sparkqlora.train.GradientModel;
import org.sparkqlora.train.ModelSource;

/**
 * The base models of this process: each is loaded once, whoever asks for it, and stays until another one is asked for and
 * no one uses it any more. A process has room for few.
 */
public final class SharedModels {
    private final Map<String, Shared> byKey = new HashMap<>();

    /** The model of {@code source}, to be closed by each that asked for it. */
    public synchronized Lease lease(ModelSource source, int threads) {
        Shared shared = byKey.get(source.key());
        if (shared == null) {
            closeUnused();
            shared = new Shared(source.open(threads));
            byKey.put(source.key(), shared);
        }

        shared.leases++;
        return new Lease(shared);
    }

    private void closeUnused() {
        for (Iterator<Shared> all = byKey.values().iterator(); all.hasNext(); ) {
            Shared shared = all.next();
            if (shared.leases == 0) {
                all.remove();
                shared.model.close();
            }
        }
    }

    private synchronized void giveBack(Shared shared) {
        shared.leases--;
    }

    private static final class Shared {
        private final GradientModel model;
        private int leases;

        private Shared(GradientModel model) {
            this.model = model;
        }
    }

    /** The right to use a model. */
    public final class Lease implements AutoCloseable {
        private final Shared shared;
        private boolean closed;

        private Lease(Shared shared) {
            this.shared = shared;
        }

        public GradientModel model() {
            return shared.model;
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
