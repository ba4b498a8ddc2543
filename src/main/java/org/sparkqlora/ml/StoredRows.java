package org.sparkqlora.ml;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.sum;
import static org.apache.spark.sql.functions.xxhash64;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Optional;
import java.util.UUID;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.sparkqlora.cli.Location;
import org.sparkqlora.input.BadInputException;

/**
 * The rows of a table as files of JSON lines, as {@code train} reads them. They are taken once, so that every step sees the same, and
 * known by what they hold: equal rows, whatever their order is now, are those that were stored before, in the order that they had then.
 *
 * @param folder of the files
 * @param hash of the rows
 */
record StoredRows(Location folder, String hash) {
    private static final String VALUE = "value";

    /** Stores {@code json} of {@code table} below {@code root}. */
    static StoredRows write(Dataset<?> table, Column json, Location root) {
        Location folder = root.resolve("rows-" + UUID.randomUUID());
        SparkSession session = table.sparkSession();
        table.select(json.as(VALUE))
                .as(Encoders.STRING())
                .javaRDD()
                .saveAsTextFile(
                        folder.path().toString()); // a text writer would call them .txt, which are texts to train on
        String hash = hash(session.read().text(folder.path().toString()));
        Location name = root.resolve(hash + ".txt");
        Optional<String> known = name.text().map(String::strip);
        if (known.isPresent()) {
            delete(folder);
            return new StoredRows(root.resolve(known.get()), hash);
        }

        name.replaceText(folder.path().getName());
        return new StoredRows(folder, hash);
    }

    private static String hash(Dataset<Row> lines) {
        Row summary = lines.agg(
                        count(lit(1)),
                        sum(xxhash64(col(VALUE)).cast("decimal(38,0)")).cast("string"))
                .head();
        if (summary.getLong(0) == 0) {
            throw new BadInputException("Cannot fit: expected rows to train on, found none");
        }

        return ShortHash.of("%d rows, %s".formatted(summary.getLong(0), summary.getString(1)));
    }

    private static void delete(Location folder) {
        try {
            folder.files().delete(folder.path(), true);
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to delete " + folder, e);
        }
    }
}
