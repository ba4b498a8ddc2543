package org.sparkqlora.spark.source;

import java.io.Serializable;
import org.sparkqlora.data.HeldOutSplit;
import org.sparkqlora.input.BadInputException;

/**
 * Which records of a source are used: some of all, spread evenly over it, and of these one part.
 *
 * @param kept records that are used
 * @param total of records
 * @param part which of those that are kept
 */
public record Share(long kept, long total, HeldOutSplit part) implements Serializable {
    /** Every record. */
    static final Share ALL = new Share(1, 1, HeldOutSplit.ALL);

    public Share {
        if (kept < 0 || kept > total || total < 1) {
            throw new BadInputException("Cannot keep %d of %d records".formatted(kept, total));
        }
    }

    /** Whether the record at {@code index} of the source, from 0, is one of them. */
    public boolean takes(long index) {
        long before = Math.multiplyExact(index, kept) / total;
        return Math.multiplyExact(index + 1, kept) / total > before && part.takes(before);
    }
}
