package org.sparkqlora.spark.source;

import java.util.Arrays;
import org.apache.spark.sql.AnalysisException;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.spark.cluster.SparkLine;

/**
 * A table that Spark reads as of now.
 *
 * @param name of a table or view of the catalog, or the folder of a table
 * @param format of the table in the folder; null for a name of the catalog
 */
public record SourceTable(String name, @Nullable TableFormat format) {
    /** Columns of Hudi's own bookkeeping: they change where the data do not. */
    private static final String HUDI_COLUMNS = "_hoodie_";

    /** A table or view of the catalog. */
    static SourceTable ofCatalog(String name) {
        return new SourceTable(name, null);
    }

    /** For messages and fingerprints. */
    String words() {
        return format == null ? "table " + name : "%s table %s".formatted(format.words(), name);
    }

    Dataset<Row> read(SparkSession session) {
        return format == null ? session.table(name) : load(session, format);
    }

    private Dataset<Row> load(SparkSession session, TableFormat ofFolder) {
        try {
            Dataset<Row> rows = session.read().format(ofFolder.source()).load(name);
            String[] bookkeeping = Arrays.stream(rows.columns())
                    .filter(column -> column.startsWith(HUDI_COLUMNS))
                    .toArray(String[]::new);
            return rows.drop(bookkeeping);
        } catch (Exception e) {
            // Spark throws these as checked exceptions that no signature declares.
            if (e instanceof ClassNotFoundException) {
                throw new BadInputException(
                        "Cannot read the %s: expected the data source '%s' on the class path, found none. Its files alone hold rows that were deleted or replaced. Add %s to spark-submit"
                                .formatted(words(), ofFolder.source(), submitOptions(session, ofFolder)),
                        e);
            }

            if (e instanceof AnalysisException || isNoSuchTable(e)) {
                throw new BadInputException(
                        "Cannot read the %s: %s. It needs %s; if a catalog manages it, name it as catalog.schema.table"
                                .formatted(words(), firstLine(e), submitOptions(session, ofFolder)),
                        e);
            }

            throw e;
        }
    }

    private static String submitOptions(SparkSession session, TableFormat format) {
        return format.submitOptions(session.version(), SparkLine.running().scala());
    }

    /** Iceberg has an exception of its own, which is on the class path with it alone. */
    private static boolean isNoSuchTable(Exception thrown) {
        return thrown.getClass().getSimpleName().equals("NoSuchTableException");
    }

    private static String firstLine(Exception thrown) {
        return String.valueOf(thrown.getMessage()).lines().findFirst().orElse("");
    }
}
