package org.sparkqlora.options;

import org.sparkqlora.input.OptionChoice;
import org.sparkqlora.optim.PagePlace;

/** The values of {@code --optimizer-pages}. */
public enum PageChoice implements OptionChoice {
    AUTO,
    MEMORY,
    FILE;

    /** Share of Java's heap that pages may fill unless told otherwise: gradients and what Spark sends need room as well. */
    private static final int HEAP_SHARE = 4;

    public static PageChoice parse(String name) {
        return OptionChoice.parse(values(), name, "Cannot keep optimizer pages in '%s': expected one of %s");
    }

    public static PageChoice of(PagePlace place) {
        return switch (place) {
            case MEMORY -> MEMORY;
            case FILE -> FILE;
        };
    }

    /** Decides where {@code bytes} of pages go in a process with a heap of {@code heapBytes}. */
    PagePlace place(long bytes, long heapBytes) {
        return switch (this) {
            case MEMORY -> PagePlace.MEMORY;
            case FILE -> PagePlace.FILE;
            case AUTO -> bytes > heapBytes / HEAP_SHARE ? PagePlace.FILE : PagePlace.MEMORY;
        };
    }
}
