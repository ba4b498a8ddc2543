package org.sparkqlora.optim;

/** Counts the bytes of all buffers that pages are worked on in, and refuses more than a bound. Safe for use by several threads. */
final class PageWindow {
    private final long limit;
    private long held;
    private long peak;

    PageWindow(long limit) {
        this.limit = limit;
    }

    synchronized void take(long bytes) {
        if (held + bytes > limit) {
            throw new IllegalStateException("Cannot hold %d more bytes of optimiser pages: %d of %d are held already"
                    .formatted(bytes, held, limit));
        }

        held += bytes;
        peak = Math.max(peak, held);
    }

    synchronized void giveBack(long bytes) {
        held -= bytes;
    }

    /** The most that was ever held. */
    synchronized long peakBytes() {
        return peak;
    }
}
