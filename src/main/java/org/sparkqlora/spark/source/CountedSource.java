package org.sparkqlora.spark.source;

import java.util.List;
import org.sparkqlora.data.HeldOutSplit;

/**
 * A source whose records are counted: first those of line files, then those of tables.
 *
 * @param weight its part of the mixture; 0 when all of it is used
 * @param splits of its line files
 * @param lines records in each split
 * @param tables that Spark reads
 */
public record CountedSource(double weight, List<SourceSplit> splits, List<Long> lines, List<NumberedRecords> tables) {
    /** Records of line files. */
    public long lineRecords() {
        return lines.stream().mapToLong(Long::longValue).sum();
    }

    public long records() {
        return lineRecords() + tables.stream().mapToLong(NumberedRecords::count).sum();
    }

    /**
     * Which records of each source are used, of {@code part} alone: all, or of weighted sources as many as give the mixture without using any twice, so
     * that the source that is shortest for its weight is used whole.
     */
    public static List<Share> shares(List<CountedSource> sources, HeldOutSplit part) {
        double whole = sources.stream()
                .filter(source -> source.weight() > 0)
                .mapToDouble(source -> source.records() / source.weight())
                .min()
                .orElse(0);
        return sources.stream().map(source -> source.share(whole, part)).toList();
    }

    private Share share(double whole, HeldOutSplit part) {
        return weight == 0 || records() == 0
                ? new Share(1, 1, part)
                : new Share(Math.min(records(), Math.round(whole * weight)), records(), part);
    }
}
