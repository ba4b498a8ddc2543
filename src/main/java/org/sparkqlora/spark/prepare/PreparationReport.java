package org.sparkqlora.spark.prepare;

import java.util.List;
import java.util.stream.LongStream;

/**
 * Statistics of data to look at before training on it.
 *
 * @param width tokens of an example's document at most
 * @param rowWidth tokens a row
 * @param counts of the records
 * @param lengths examples by length before they were cut: at i those of 2^i to 2^(i + 1) - 1 tokens
 * @param longest tokens of the longest
 * @param cutTokens tokens that were cut off
 * @param duplicates examples that are there already, as ids
 * @param duplicatesEstimated whether only a part was looked at
 * @param doubleBos examples that begin with BOS twice
 * @param doubleEnd examples whose end is there twice
 * @param missingEnd examples whose last trained token is no control token
 * @param changedPrompts examples in which the ids of a prompt are others where its answer follows
 */
public record PreparationReport(
        int width,
        int rowWidth,
        PreparationCounts counts,
        List<Long> lengths,
        long longest,
        long cutTokens,
        long duplicates,
        boolean duplicatesEstimated,
        long doubleBos,
        long doubleEnd,
        long missingEnd,
        long changedPrompts) {
    /** Its name in the prepared folder. */
    public static final String FILE_NAME = "report.json";

    public PreparationReport {
        lengths = List.copyOf(lengths);
    }

    static PreparationReport of(Manifest manifest, ExampleChecks checks, long hashedOneOf) {
        return new PreparationReport(
                manifest.documentWidth(),
                manifest.width(),
                manifest.counts(),
                LongStream.of(checks.lengths()).boxed().toList(),
                checks.longest(),
                checks.cutTokens(),
                Math.min(checks.duplicates() * hashedOneOf, manifest.counts().examples()),
                hashedOneOf > 1,
                checks.doubleBos(),
                checks.doubleEnd(),
                checks.missingEnd(),
                checks.changedPrompts());
    }

    /** Padding among all tokens of the rows. */
    public double padding() {
        return 1 - counts.tokens() / ((double) counts.rows() * rowWidth);
    }

    /** The padding if every example had a row of its own. */
    public double paddingUnpacked() {
        return 1 - counts.tokens() / ((double) counts.examples() * rowWidth);
    }

    /** Rows that the tokens would fill without padding, as a share of the rows there are. */
    public double packingEfficiency() {
        return Math.ceil(counts.tokens() / (double) rowWidth) / counts.rows();
    }
}
