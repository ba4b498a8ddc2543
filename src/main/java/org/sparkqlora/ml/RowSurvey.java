package org.sparkqlora.ml;

import static org.apache.spark.sql.functions.array_contains;
import static org.apache.spark.sql.functions.call_udf;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.min;
import static org.apache.spark.sql.functions.not;
import static org.apache.spark.sql.functions.struct;
import static org.apache.spark.sql.functions.sum;
import static org.apache.spark.sql.functions.udf;
import static org.apache.spark.sql.functions.when;
import static org.apache.spark.sql.functions.xxhash64;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.api.java.UDF1;
import org.apache.spark.sql.types.DataTypes;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.data.BadRecordException;
import org.sparkqlora.data.RecordReading;
import org.sparkqlora.input.BadInputException;

/**
 * Facts of the rows that a fit stored as JSON lines.
 *
 * @param rows that there are
 * @param hash of the rows, whatever their order
 * @param bad rows that are no training records
 * @param nulls the columns that are null in such rows, with how many these are
 * @param example the least of them and the reason, for people; empty where there is none
 */
record RowSurvey(long rows, String hash, long bad, List<String> nulls, String example) {
    private static final String VALUE = "value";
    private static final String PROBLEM = "problem";
    private static final int SHOWN = 100;

    RowSurvey {
        nulls = List.copyOf(nulls);
    }

    /**
     * Reads {@code lines} once.
     *
     * @param needed the columns that a record cannot lack, by the names that records have for them
     */
    static RowSurvey of(Dataset<Row> lines, Map<String, String> needed, RecordReading reading) {
        Column bad = col(PROBLEM).isNotNull();
        List<Column> facts = new ArrayList<>(List.of(
                sum(xxhash64(col(VALUE)).cast("decimal(38,0)")).cast("string"),
                count(col(PROBLEM)),
                min(when(bad, struct(col(VALUE), col(PROBLEM))))));
        Column fields = call_udf("json_object_keys", col(VALUE));
        needed.keySet().forEach(name -> facts.add(count(when(bad.and(not(array_contains(fields, name))), 1))));
        Row found = lines.withColumn(
                        PROBLEM,
                        udf(new RecordProblem(reading), DataTypes.StringType).apply(col(VALUE)))
                .agg(count(lit(1)), facts.toArray(Column[]::new))
                .head();
        if (found.getLong(0) == 0) {
            throw new BadInputException("Cannot fit: expected rows to train on, found none");
        }

        return new RowSurvey(
                found.getLong(0), found.getString(1), found.getLong(2), nulls(found, needed), example(found));
    }

    /** Throws if a row is no training record. */
    void requireRecords() {
        if (bad == 0) {
            return;
        }

        throw new BadInputException(
                "Cannot fit: expected training records, found %d of %d rows that are none%s. The first is %s. Drop such rows, or set onBadRecord to skip"
                        .formatted(bad, rows, nulls.isEmpty() ? "" : ": " + String.join(", ", nulls), example));
    }

    private static List<String> nulls(Row found, Map<String, String> needed) {
        List<String> nulls = new ArrayList<>();
        int at = found.length() - needed.size();
        for (String column : needed.values()) {
            long rows = found.getLong(at++);
            if (rows > 0) {
                nulls.add(String.format(Locale.ROOT, "column %s is null in %d", column, rows));
            }
        }

        return nulls;
    }

    private static String example(Row found) {
        if (found.isNullAt(3)) {
            return "";
        }

        Row first = found.getStruct(3);
        return described(first.getString(0), first.getString(1));
    }

    /** A row and why it is no training record, for people. */
    static String described(String value, String problem) {
        String shown = value.length() <= SHOWN ? value : value.substring(0, SHOWN) + "...";
        return "%s (%s)".formatted(shown, problem);
    }

    /**
     * The reason why a row, as JSON, is no training record; null where it is one. Runs in a task.
     *
     * @param reading of records
     */
    private record RecordProblem(RecordReading reading) implements UDF1<String, @Nullable String> {
        @Override
        public @Nullable String call(String json) {
            try {
                reading.read(json);
                return null;
            } catch (BadRecordException e) {
                return e.getMessage();
            }
        }
    }
}
