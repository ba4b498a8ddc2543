package org.sparkqlora.spark.source;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;

import java.util.List;
import java.util.Map;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.input.BadInputException;

/**
 * The states that a Delta or Iceberg table had, as the table's own log tells them. Driver only.
 *
 * @param version number of a state
 * @param time since when it was the table's
 */
record TableHistory(Dataset<Row> states, String version, String time) {
    /** Of a table in a folder. */
    static TableHistory ofFolder(SparkSession session, TableFormat format, String folder) {
        return switch (format) {
            case DELTA -> ofDelta(session, "delta.`%s`".formatted(folder.replace("`", "``")));
            case ICEBERG -> ofIceberg(format.load(session, folder, folder + "#history", Map.of()));
            case HUDI ->
                throw new BadInputException(
                        "Cannot read the Hudi table %s as of an earlier state: expected a Delta or Iceberg table"
                                .formatted(folder));
        };
    }

    /** Of a table of the catalog. */
    static TableHistory ofCatalog(SparkSession session, TableFormat format, String name) {
        return switch (format) {
            case DELTA -> ofDelta(session, name);
            case ICEBERG -> ofIceberg(session.table(name + ".history"));
            case HUDI ->
                throw new BadInputException(
                        "Cannot read the Hudi table %s as of an earlier state: expected a Delta or Iceberg table"
                                .formatted(name));
        };
    }

    private static TableHistory ofDelta(SparkSession session, String name) {
        return new TableHistory(session.sql("DESCRIBE HISTORY " + name), "version", "timestamp");
    }

    private static TableHistory ofIceberg(Dataset<Row> history) {
        return new TableHistory(history.where(col("is_current_ancestor")), "snapshot_id", "made_current_at");
    }

    /**
     * The version of the newest state, of the newest one at a time, or the one asked for.
     *
     * @param words of the table in messages
     */
    long resolve(String words, @Nullable TableVersion asked) {
        if (asked == null) {
            return newest(words, states, "a state");
        }

        return switch (asked.kind()) {
            case VERSION ->
                newest(words, states.where(col(version).equalTo(Long.parseLong(asked.value()))), asked.toString());
            case TIMESTAMP ->
                newest(
                        words,
                        states.where(col(time).leq(lit(asked.value()).cast("timestamp"))),
                        "a state at or before " + asked.value());
        };
    }

    private long newest(String words, Dataset<Row> among, String expected) {
        List<Row> found = among.orderBy(col(time).desc(), col(version).desc())
                .select(col(version))
                .takeAsList(1);
        if (found.isEmpty()) {
            throw new BadInputException("Cannot read the %s: expected %s, found %s"
                    .formatted(words, expected, among == states ? "none" : "others: " + told()));
        }

        return found.get(0).getLong(0);
    }

    /** The oldest and the newest state that are left. */
    private String told() {
        List<Row> all = states.orderBy(col(time))
                .select(col(version), col(time).cast("string"))
                .collectAsList();
        return all.isEmpty() ? "none" : "%s to %s".formatted(told(all.get(0)), told(all.get(all.size() - 1)));
    }

    private static String told(Row state) {
        return "%s (%s)".formatted(state.getLong(0), state.getString(1));
    }
}
