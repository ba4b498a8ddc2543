package org.sparkqlora.storage;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** Something that this process has begun to write under a name of its own. A signal that ends the process takes all of it away. */
public final class Unfinished implements AutoCloseable {
    /** Who writes may make another file in a folder that goes. */
    private static final int ATTEMPTS = 5;

    private static final Set<Unfinished> ALL = new LinkedHashSet<>();
    private static boolean ended;

    private final Removing leftover;

    private Unfinished(Removing leftover) {
        this.leftover = leftover;
    }

    /** Takes away what was begun, as far as it is there. */
    @FunctionalInterface
    interface Removing {
        void remove() throws IOException;
    }

    /** @throws InterruptedIOException if the process is about to end */
    static Unfinished begin(Removing leftover) throws IOException {
        synchronized (ALL) {
            requireGoingOn();
            Unfinished begun = new Unfinished(leftover);
            ALL.add(begun);
            return begun;
        }
    }

    /**
     * It is whole: from now on it stays.
     *
     * @throws InterruptedIOException if the process is about to end, and it is gone
     */
    void keep() throws IOException {
        synchronized (ALL) {
            requireGoingOn();
            ALL.remove(this);
        }
    }

    /** Who has begun it takes care of it. */
    @Override
    public void close() {
        synchronized (ALL) {
            ALL.remove(this);
        }
    }

    private static void requireGoingOn() throws IOException {
        if (ended) {
            throw new InterruptedIOException("The process is about to end");
        }
    }

    /** Removes all that is not whole, before the process ends. Nothing is begun or gets its name afterwards. */
    public static void removeAll() {
        synchronized (ALL) {
            ended = true;
            List<Unfinished> left = new ArrayList<>(ALL);
            for (int i = 0; i < ATTEMPTS && !left.isEmpty(); i++) {
                left.removeIf(Unfinished::isRemoved);
            }
        }
    }

    private static boolean isRemoved(Unfinished begun) {
        try {
            begun.leftover.remove();
            return true;
        } catch (IOException | UncheckedIOException e) { // such as by a walk in which a file goes
            return false;
        }
    }
}
