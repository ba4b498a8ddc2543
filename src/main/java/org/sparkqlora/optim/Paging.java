package org.sparkqlora.optim;

import java.io.Serializable;
import org.sparkqlora.input.BadInputException;

/**
 * The storage of a paged optimiser's pages and the memory of those in work. Does not affect the result.
 *
 * @param place of the pages that are not in work
 * @param windowBytes bound on all buffers of the pages in work, of all threads together
 */
public record Paging(PagePlace place, long windowBytes) implements Serializable {
    /** Room for a few blocks of 256 elements of any optimiser. */
    public static final long SMALLEST_WINDOW = 1 << 14;

    /** Pages in memory. */
    public static final Paging DEFAULT = new Paging(PagePlace.MEMORY, 64L << 20);

    public Paging {
        if (windowBytes < SMALLEST_WINDOW) {
            throw new BadInputException("Cannot page an optimiser through a window of %d bytes: expected at least %d"
                    .formatted(windowBytes, SMALLEST_WINDOW));
        }
    }
}
