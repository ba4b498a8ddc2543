package org.sparkqlora.spark.prepare;

import java.io.Serializable;
import java.util.Arrays;
import java.util.List;
import java.util.function.ToLongFunction;
import java.util.stream.LongStream;

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
 * @param hashes of the ids of some or all examples, each once
 * @param repeated examples left out of {@code hashes} because theirs is there: what the driver holds does not grow with copies
 */
record ExampleChecks(
        long[] lengths,
        long longest,
        long cutTokens,
        long doubleBos,
        long doubleEnd,
        long missingEnd,
        long changedPrompts,
        long[] hashes,
        long repeated)
        implements Serializable {
    static final int BUCKETS = 32;

    static final ExampleChecks NONE = new ExampleChecks(new long[BUCKETS], 0, 0, 0, 0, 0, 0, new long[0], 0);

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

    /** Of the examples of all. A hash that several of them hold is there as often. */
    static ExampleChecks sum(List<ExampleChecks> all) {
        long[] lengths = new long[BUCKETS];
        for (ExampleChecks each : all) {
            for (int i = 0; i < BUCKETS; i++) {
                lengths[i] += each.lengths[i];
            }
        }

        return new ExampleChecks(
                lengths,
                all.stream().mapToLong(ExampleChecks::longest).max().orElse(0),
                total(all, ExampleChecks::cutTokens),
                total(all, ExampleChecks::doubleBos),
                total(all, ExampleChecks::doubleEnd),
                total(all, ExampleChecks::missingEnd),
                total(all, ExampleChecks::changedPrompts),
                all.stream().flatMapToLong(each -> LongStream.of(each.hashes)).toArray(),
                total(all, ExampleChecks::repeated));
    }

    private static long total(List<ExampleChecks> all, ToLongFunction<ExampleChecks> part) {
        return all.stream().mapToLong(part).sum();
    }

    /** The count of hashed examples that are there already. */
    long duplicates() {
        long[] sorted = hashes.clone();
        Arrays.sort(sorted);
        long count = repeated;
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
                && Arrays.equals(hashes, that.hashes)
                && repeated == that.repeated;
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(lengths) + Arrays.hashCode(hashes);
    }
}
