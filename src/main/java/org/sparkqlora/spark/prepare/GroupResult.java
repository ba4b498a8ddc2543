package org.sparkqlora.spark.prepare;

import java.io.Serializable;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.spark.source.BadLine;
import org.sparkqlora.spark.source.NumberedRecords;

/**
 * The result of a task for a group of records.
 *
 * @param group its number
 * @param file its rows; null when there are none
 * @param counts of its records
 * @param checks statistics of its examples
 * @param bad its first lines that are no record
 */
public record GroupResult(
        int group, @Nullable PreparedFile file, PreparationCounts counts, ExampleChecks checks, List<BadLine> bad)
        implements Serializable {
    public GroupResult {
        bad = List.copyOf(bad);
    }

    /** With rows of the source with a number. */
    GroupResult ofSource(int source) {
        return file == null ? this : new GroupResult(group, file.ofSource(source), counts, checks, bad);
    }

    /** With the place of bad records in words of {@code records}, where a task knows only their number. */
    GroupResult placed(NumberedRecords records) {
        return new GroupResult(
                group,
                file,
                counts,
                checks,
                bad.stream()
                        .map(line -> records.place(line.line(), line.problem()))
                        .toList());
    }
}
