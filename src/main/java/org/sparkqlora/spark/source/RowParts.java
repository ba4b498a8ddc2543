package org.sparkqlora.spark.source;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.pmod;
import static org.apache.spark.sql.functions.struct;
import static org.apache.spark.sql.functions.sum;
import static org.apache.spark.sql.functions.to_json;
import static org.apache.spark.sql.functions.xxhash64;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.sparkqlora.storage.Sha256;

/**
 * The rows of a table in numbered parts. A row's part is a hash of its content modulo their number, so it does not depend on the cluster
 * or on how the table is stored. Driver only.
 *
 * @param number of parts
 */
public record RowParts(Dataset<Row> rows, int number) {
    private static final Map<String, String> ZONE = Map.of("timeZone", "UTC");
    private static final int DIGITS = 16;

    public RowParts {
        if (number < 1) {
            throw new IllegalArgumentException("Cannot part a table in %d: expected at least 1".formatted(number));
        }
    }

    /**
     * The parts that have rows.
     *
     * @param rows of each part
     * @param fingerprint of all of them; other rows have another
     */
    public record Survey(SortedMap<Integer, Long> rows, String fingerprint) {}

    /** Counts the rows of each part. */
    public Survey survey() {
        List<Row> parts = rows.select(hash().as("hash"))
                .groupBy(pmod(col("hash"), lit(number)).cast("int").as("part"))
                .agg(count(lit(1)), sum(col("hash").cast("decimal(38,0)")).cast("string"))
                .orderBy("part")
                .collectAsList();
        SortedMap<Integer, Long> counts = new TreeMap<>();
        StringBuilder hashes = new StringBuilder();
        for (Row part : parts) {
            counts.put(part.getInt(0), part.getLong(1));
            hashes.append(part.getString(2)).append(' ');
        }

        return new Survey(
                counts,
                Sha256.hex(hashes.toString().getBytes(StandardCharsets.UTF_8)).substring(0, DIGITS));
    }

    /** The rows of a part, spread over {@code tasks}. */
    public Dataset<Row> part(int part, int tasks) {
        return rows.where(pmod(hash(), lit(number)).equalTo(part)).repartition(tasks, hash());
    }

    private Column hash() {
        return xxhash64(to_json(struct(TableReading.columns(rows)), ZONE));
    }
}
