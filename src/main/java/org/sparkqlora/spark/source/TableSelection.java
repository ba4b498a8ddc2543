package org.sparkqlora.spark.source;

import java.util.Arrays;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.sql.AnalysisException;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.input.BadInputException;

/**
 * The part of a table that is read, in expressions of Spark's SQL.
 *
 * @param columns a list of expressions; null for all columns
 * @param filter a condition; null for all rows
 */
record TableSelection(@Nullable String columns, @Nullable String filter) {
    static final TableSelection ALL = new TableSelection(null, null);

    /** What would give other rows another time: queries of other tables, and functions that depend on more than a row. */
    private static final Pattern UNSTEADY = Pattern.compile(
            "\\bSELECT\\b|\\b(?:rand|randn|random|uuid|shuffle|now|curdate|monotonically_increasing_id|spark_partition_id|input_file_\\w+)\\s*\\("
                    + "|\\b(?:current_(?:date|timestamp|user|timezone)|localtimestamp)\\b",
            Pattern.CASE_INSENSITIVE);

    boolean isAll() {
        return columns == null && filter == null;
    }

    /** The part of {@code rows}. */
    Dataset<Row> of(Dataset<Row> rows) {
        Dataset<Row> found = filter == null ? rows : rows.where(filter);
        return columns == null ? found : found.selectExpr(SqlText.list(columns).toArray(String[]::new));
    }

    /** Throws if it cannot be had of {@code rows}, which are called {@code words}. */
    void require(Dataset<Row> rows, String words) {
        Matcher unsteady = UNSTEADY.matcher(SqlText.withoutQuoted(columns + " " + filter));
        if (unsteady.find()) {
            throw refused(
                    words,
                    "expressions of a row alone",
                    unsteady.group().replace("(", "").strip(),
                    null);
        }

        try {
            of(rows);
        } catch (Exception e) { // Spark throws it as a checked exception that no signature declares
            if (e instanceof AnalysisException) {
                throw refused(
                        words,
                        "expressions of its columns " + Arrays.toString(rows.columns()),
                        String.valueOf(e.getMessage())
                                .strip()
                                .lines()
                                .findFirst()
                                .orElse(""),
                        e);
            }

            throw e;
        }
    }

    private BadInputException refused(String words, String expected, String found, @Nullable Exception cause) {
        return new BadInputException(
                "Cannot read the %s%s: expected %s, found %s. A weight behind a condition needs it in parentheses: WHERE (a = 1)=0.7"
                        .formatted(words, this, expected, found),
                cause);
    }

    /** Behind the name of a table. */
    @Override
    public String toString() {
        return (filter == null ? "" : " WHERE " + filter) + (columns == null ? "" : ", columns " + columns);
    }
}
