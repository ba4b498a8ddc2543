package org.sparkqlora.spark.source;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.struct;
import static org.apache.spark.sql.functions.sum;
import static org.apache.spark.sql.functions.to_json;
import static org.apache.spark.sql.functions.xxhash64;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.ChecksumException;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.AnalysisException;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.DataFrameReader;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.storage.StorePath;

/**
 * Work on files with columns, in which a damaged file is told from a fault that passes. Driver only.
 *
 * @param session that reads the files
 * @param kind of all of them
 * @param files that are read
 */
record TableReading(SparkSession session, SourceKind kind, List<SourceFile> files) {
    /** Messages of the Parquet and ORC readers for a file that is neither. */
    private static final Pattern NO_SUCH_FILE = Pattern.compile("is not a Parquet file|Malformed ORC file");

    /** Classes that read Parquet and ORC, of Spark and of the formats. */
    private static final Pattern READERS = Pattern.compile(".*\\.(parquet|orc)\\..*");

    /** Finds the columns and the rows of the files, which all have the same. */
    <T> T open(Supplier<T> work) {
        try {
            return read(work);
        } catch (Exception e) { // Spark throws a lost job as a checked exception that no signature declares
            Throwable root = root(e);
            if (!isBadInput(e) && (root instanceof AnalysisException || root instanceof IllegalArgumentException)) {
                throw new BadInputException(
                        "Cannot read data: expected %s of the same columns, found others: %s"
                                .formatted(kind.words(), reason(root)),
                        e);
            }

            throw e;
        }
    }

    /** Reads rows. */
    <T> T read(Supplier<T> work) {
        try {
            return work.get();
        } catch (Exception e) { // Spark throws a lost job as a checked exception that no signature declares
            if (!isBadInput(e)) {
                requireWhole(e, root(e));
            }

            throw e;
        }
    }

    private void requireWhole(Exception thrown, Throwable root) {
        String reason = reason(root);
        if (NO_SUCH_FILE.matcher(reason).find()) {
            throw new BadInputException(
                    "Cannot read data: expected %s, found another file: %s".formatted(kind.words(), reason), thrown);
        }

        Optional<SourceFile> damaged = isOfReader(root) ? damaged() : Optional.empty();
        if (damaged.isPresent()) {
            throw new BadInputException(
                    "Cannot read %s: expected %s, found a damaged file: %s"
                            .formatted(damaged.get().path(), kind.words(), reason),
                    thrown);
        }
    }

    private static boolean isBadInput(Throwable thrown) {
        return Stream.iterate(thrown, Objects::nonNull, Throwable::getCause)
                .anyMatch(BadInputException.class::isInstance);
    }

    /** On one line. */
    private static String reason(Throwable root) {
        return String.join(
                " ",
                String.valueOf(root.getMessage()).lines().map(String::strip).toList());
    }

    private static Throwable root(Throwable thrown) {
        Throwable root = thrown;
        while (root.getCause() != null) {
            root = root.getCause();
        }

        return root;
    }

    private static boolean isOfReader(Throwable root) {
        return root instanceof Exception
                && Arrays.stream(root.getStackTrace())
                        .anyMatch(frame -> READERS.matcher(frame.getClassName()).matches());
    }

    /** The first file that cannot be read on its own though the store gives all of its bytes. */
    private Optional<SourceFile> damaged() {
        Configuration configuration = session.sparkContext().hadoopConfiguration();
        return files.stream()
                .filter(file -> fails(file.path()) && givesBytes(file.path(), configuration))
                .findFirst();
    }

    private boolean fails(String file) {
        try {
            Dataset<Row> rows = reader().load(file);
            rows.agg(sum(xxhash64(to_json(struct(columns(rows)))).cast("decimal(38,0)")))
                    .head();
            return false;
        } catch (Exception e) { // the first failure is the one that is told
            return isOfReader(root(e));
        }
    }

    private static boolean givesBytes(String file, Configuration configuration) {
        Path path = new Path(file);
        try (InputStream in = StorePath.files(path, configuration).open(path)) {
            in.transferTo(OutputStream.nullOutputStream());
            return true;
        } catch (ChecksumException e) {
            return true; // these are other bytes than were written
        } catch (IOException e) {
            return false; // a fault of the store, which may pass
        }
    }

    DataFrameReader reader() {
        return switch (kind) {
            case PARQUET -> session.read().format("parquet").option("mergeSchema", "true");
            case ORC -> session.read().format("orc").option("mergeSchema", "true");
            case CSV, TSV -> sheet(kind.separator().orElseThrow());
            case JSON_LINES, JSON_LIST, TEXT -> throw new IllegalStateException("Cannot read a table of " + kind);
        };
    }

    /** As spreadsheets and pandas write it: a line of names, quotes doubled within quotes, line ends within quotes. */
    private DataFrameReader sheet(char separator) {
        return session.read()
                .format("csv")
                .option("header", "true")
                .option("sep", String.valueOf(separator))
                .option("quote", "\"")
                .option("escape", "\"")
                .option("multiLine", "true")
                .option("enforceSchema", "false");
    }

    static Column[] columns(Dataset<Row> rows) {
        return Arrays.stream(rows.columns())
                .map(name -> col("`" + name.replace("`", "``") + "`"))
                .toArray(Column[]::new);
    }
}
