package org.sparkqlora.spark.prepare;

import java.io.Serializable;
import java.util.Arrays;

/**
 * Statistics of examples before they are packed.
 *
 * @param lengths examples by length before they were cut: at i those of 2^i to 2^(i + 1) - 1 tokens
 * @param longest tokens of the longest
 * @param cutTokens tokens that were cut off
 * @param doubleBos examples that begin with BOS twice
 * @param doubleEnd examples whose end is there twice
 * @param missingEnd examples whose last trained token is no control token, so that the model does not learn to stop
 * @param changedPrompts examples in which the ids of a prompt are others where its answer follows
 * @param hashes of the ids of some or all examples
 */
record ExampleChecks(
        long[] lengths,
        long longest,
        long cutTokens,
        long doubleBos,
        long doubleEnd,
        long missingEnd,
        long changedPrompts,
        long[] hashes)
        implements Serializable {
    static final int BUCKETS = 32;

    static final ExampleChecks NONE = new ExampleChecks(new long[BUCKETS], 0, 0, 0, 0, 0, 0, new long[0]);

    ExampleChecks {
        lengths = lengths.clone();
        hashes = hashes.clone();
    }

    @Override
    public long[] lengths() {
        return lengths.clone();
    }

    @Override
    public long[] hashes() {
        return hashes.clone();
    }

    static int bucket(int length) {
        return Integer.SIZE - 1 - Integer.numberOfLeadingZeros(length);
    }

    ExampleChecks plus(ExampleChecks other) {
        long[] sum = lengths.clone();
        for (int i = 0; i < sum.length; i++) {
            sum[i] += other.lengths[i];
        }

        long[] both = Arrays.copyOf(hashes, hashes.length + other.hashes.length);
        System.arraycopy(other.hashes, 0, both, hashes.length, other.hashes.length);
        return new ExampleChecks(
                sum,
                Math.max(longest, other.longest),
                cutTokens + other.cutTokens,
                doubleBos + other.doubleBos,
                doubleEnd + other.doubleEnd,
                missingEnd + other.missingEnd,
                changedPrompts + other.changedPrompts,
                both);
    }

    /** The count of hashes that are duplicates. */
    long duplicates() {
        long[] sorted = hashes.clone();
        Arrays.sort(sorted);
        long count = 0;
        for (int i = 1; i < sorted.length; i++) {
            count += sorted[i] == sorted[i - 1] ? 1 : 0;
        }

        return count;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof ExampleChecks that
                && Arrays.equals(lengths, that.lengths)
                && longest == that.longest
                && cutTokens == that.cutTokens
                && doubleBos == that.doubleBos
                && doubleEnd == that.doubleEnd
                && missingEnd == that.missingEnd
                && changedPrompts == that.changedPrompts
                && Arrays.equals(hashes, that.hashes);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(lengths) + Arrays.hashCode(hashes);
    }
}
