package org.sparkqlora.ml;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.spark.cluster.Location;
import org.sparkqlora.spark.source.DataExceptions;
import org.sparkqlora.storage.Removal;
import org.sparkqlora.storage.Sha256;

/**
 * The rows of a table as files of JSON lines, as {@code train} reads them. They are taken once, so that every step sees the same, and
 * known by what they hold: equal rows, whatever their order is now, are those that were stored before, in the order that they had then.
 *
 * @param folder of the files
 * @param hash of the rows
 */
record TableRows(Location folder, String hash) {
    private static final String VALUE = "value";

    /** Fits of a sweep store the same rows side by side, and go on with those of one. */
    private static final Object NAMING = new Object();

    /**
     * Stores {@code json} of {@code table} below {@code root}.
     *
     * @param survey of the stored lines; what it throws leaves none of them
     */
    static TableRows write(Dataset<?> table, Column json, Location root, Function<Dataset<Row>, RowSurvey> survey) {
        Location folder = root.resolve("rows-" + UUID.randomUUID());
        save(table.select(json.as(VALUE)).as(Encoders.STRING()), folder);
        return named(folder, root, hash(surveyed(table.sparkSession(), folder, survey)));
    }

    /** As a file without an end to its name: a text writer would call it .txt, which holds texts to train on. */
    private static void save(Dataset<String> lines, Location folder) {
        try {
            DataExceptions.refuse("fit", () -> {
                lines.javaRDD().saveAsTextFile(folder.path().toString());
                return folder;
            });
        } catch (BadInputException e) {
            delete(folder);
            throw e;
        }
    }

    /** The rows of this hash that were stored first; {@code folder} goes if it is another. */
    private static TableRows named(Location folder, Location root, String hash) {
        synchronized (NAMING) {
            Location name = root.resolve(hash + ".txt");
            Optional<String> known = name.text().map(String::strip);
            if (known.isPresent()) {
                delete(folder);
                return new TableRows(root.resolve(known.get()), hash);
            }

            name.replaceText(folder.path().getName());
            return new TableRows(folder, hash);
        }
    }

    private static RowSurvey surveyed(SparkSession session, Location folder, Function<Dataset<Row>, RowSurvey> survey) {
        try {
            return survey.apply(session.read().text(folder.path().toString()));
        } catch (BadInputException e) {
            delete(folder);
            throw e;
        }
    }

    /** Whether {@code file} is one of them. */
    boolean contain(String file) {
        return new Path(file).getParent().getName().equals(folder.path().getName());
    }

    /** The row in a line of one of the files, from 1. */
    String row(String file, long line) {
        Path path = new Path(file);
        try (BufferedReader lines =
                new BufferedReader(new InputStreamReader(folder.files().open(path), StandardCharsets.UTF_8))) {
            return lines.lines().skip(line - 1).findFirst().orElse("");
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to read " + file, e);
        }
    }

    private static String hash(RowSurvey survey) {
        return Sha256.shortHex(String.format(Locale.ROOT, "%d rows, %s", survey.rows(), survey.hash()));
    }

    private static void delete(Location folder) {
        try {
            Removal.folder(folder.files(), folder.path(), name -> true);
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to delete " + folder, e);
        }
    }
}
