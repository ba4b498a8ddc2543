package org.sparkqlora.spark.source;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.struct;
import static org.apache.spark.sql.functions.sum;
import static org.apache.spark.sql.functions.to_json;
import static org.apache.spark.sql.functions.xxhash64;

import java.time.ZoneId;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.apache.spark.api.java.JavaPairRDD;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import scala.Tuple2;

/**
 * Rows of a table or view as JSON. A table has no order, so they are sorted by a hash of what they hold: the order
 * depends on the rows alone. Driver only.
 */
public final class UnorderedRecords implements NumberedRecords {
    private static final String PART = "(?:[A-Za-z_]\\w*|`(?:[^`]|``)+`)";
    private static final Pattern NAME = Pattern.compile("%1$s(?:\\.%1$s)*".formatted(PART));
    private static final String JSON = "json";

    private final String name; // in words
    private final Dataset<Row> json;
    private final Row summary; // rows, sum of their hashes

    private UnorderedRecords(String name, Dataset<Row> json) {
        this.name = name;
        this.json = json;
        this.summary = DataExceptions.refuse(
                "read the " + name,
                () -> json.agg(
                                functions.count(lit(1)),
                                sum(xxhash64(col(JSON)).cast("decimal(38,0)")).cast("string"))
                        .head());
    }

    /** Whether {@code name} could be that of a table. */
    static boolean mayBeTable(String name) {
        return NAME.matcher(name).matches();
    }

    /** Times are written in {@code zone}. */
    public static UnorderedRecords of(SparkSession session, SourceTable source, ZoneId zone) {
        Dataset<Row> table = source.read(session);
        Column[] columns = Arrays.stream(table.columns())
                .map(column -> col("`" + column.replace("`", "``") + "`"))
                .toArray(Column[]::new);
        return new UnorderedRecords(
                source.words(),
                table.select(to_json(struct(columns), Map.of("timeZone", zone.getId()))
                        .as(JSON)));
    }

    /** Differs where the rows do. */
    public String fingerprint() {
        return String.format(Locale.ROOT, "%s of %d rows, %s", name, count(), summary.getString(1));
    }

    @Override
    public long count() {
        return summary.getLong(0);
    }

    @Override
    public String words() {
        return "a table";
    }

    @Override
    public JavaPairRDD<Long, String> numbered() {
        return json.orderBy(xxhash64(col(JSON)), col(JSON))
                .toJavaRDD()
                .map(row -> row.getString(0))
                .zipWithIndex()
                .mapToPair(Tuple2::swap);
    }

    @Override
    public Optional<String> sample() {
        return json.takeAsList(1).stream().map(row -> row.getString(0)).findFirst();
    }

    @Override
    public BadLine place(long record, String problem) {
        return new BadLine(name, record + 1, problem);
    }
}
