package org.sparkqlora.spark.prepare;

import java.util.Arrays;
import org.sparkqlora.tokenizer.ControlTokens;
import org.sparkqlora.tokenizer.EncodedExample;

/** Gathers {@link ExampleChecks} example by example. */
final class ExampleChecking {
    private final ControlTokens control;
    private final long hashedOneOf;
    private final long[] lengths = new long[ExampleChecks.BUCKETS];
    private long longest;
    private long cutTokens;
    private long doubleBos;
    private long doubleEnd;
    private long missingEnd;
    private long[] hashes = new long[16];
    private int hashed;

    /** One in {@code hashedOneOf} hashes is kept. */
    ExampleChecking(ControlTokens control, long hashedOneOf) {
        this.control = control;
        this.hashedOneOf = hashedOneOf;
    }

    /** An example as it was, and as it goes into a row. */
    void add(EncodedExample whole, EncodedExample cut) {
        lengths[ExampleChecks.bucket(whole.length())]++;
        longest = Math.max(longest, whole.length());
        cutTokens += whole.length() - cut.length();
        doubleBos += control.beginsTwice(whole) ? 1 : 0;
        doubleEnd += control.endsTwice(cut) ? 1 : 0;
        missingEnd += control.missesEnd(cut) ? 1 : 0;
        addHash(whole.ids());
    }

    private void addHash(int[] ids) {
        long hash = DocumentHash.of(ids);
        if (Long.remainderUnsigned(hash, hashedOneOf) != 0) {
            return;
        }

        if (hashed == hashes.length) {
            hashes = Arrays.copyOf(hashes, 2 * hashed);
        }

        hashes[hashed] = hash;
        hashed++;
    }

    ExampleChecks result() {
        return new ExampleChecks(
                lengths, longest, cutTokens, doubleBos, doubleEnd, missingEnd, Arrays.copyOf(hashes, hashed));
    }
}
