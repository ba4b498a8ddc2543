package org.sparkqlora.spark.source;

import static org.apache.spark.sql.functions.col;

import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.apache.spark.sql.AnalysisException;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.input.PrintableText;
import org.sparkqlora.spark.cluster.SparkLine;

/**
 * A table that Spark reads: of Delta and Iceberg the state that it had when it was listed or that was asked for, of others the
 * present one.
 *
 * @param name of a table or view of the catalog, or the folder of a table
 * @param format of the table in the folder; null for a name of the catalog
 * @param version of Delta, or snapshot of Iceberg; null for others
 * @param selection the part of it that is read
 */
public record SourceTable(
        String name, @Nullable TableFormat format, @Nullable Long version, TableSelection selection) {
    /** Columns of Hudi's own bookkeeping: they change where the data do not. */
    private static final String HUDI_COLUMNS = "_hoodie_";

    private static final Pattern PROVIDER = Pattern.compile("(?i)delta|iceberg");

    /** A table or view of the catalog, in the state that is {@code asked} for. */
    static SourceTable ofCatalog(SparkSession session, String name, Optional<TableVersion> asked) {
        SourceTable present = new SourceTable(name, null, null, TableSelection.ALL);
        Optional<TableFormat> provider = provider(session, name);
        if (provider.isEmpty()) {
            asked.ifPresent(version -> present.refuse(version, "another table or a view"));
            return present;
        }

        TableHistory history = TableHistory.ofCatalog(session, provider.get(), name);
        return new SourceTable(name, null, history.resolve(present.words(), asked.orElse(null)), TableSelection.ALL);
    }

    /** Whether the catalog has a table of this name: none if no catalog can have it, or, with Delta 4, if it is a folder's. */
    public static boolean exists(SparkSession session, String name) {
        try {
            return session.catalog().tableExists(name);
        } catch (Exception e) { // one that no signature declares
            if (e instanceof AnalysisException) {
                return false;
            }

            throw e;
        }
    }

    /** A table of the catalog in its newest state. */
    public static SourceTable present(SparkSession session, String name) {
        return ofCatalog(session, name, Optional.empty());
    }

    /** A table in a folder, in the state that is {@code asked} for. */
    static SourceTable ofFolder(SparkSession session, String folder, TableFormat format, Optional<TableVersion> asked) {
        SourceTable present = new SourceTable(folder, format, null, TableSelection.ALL);
        if (format == TableFormat.HUDI) {
            asked.ifPresent(version -> present.refuse(version, "a Hudi table"));
            return present;
        }

        return present.opened(session, format, () -> {
            present.load(session, format); // which tells best what is missing
            TableHistory history = TableHistory.ofFolder(session, format, folder);
            return new SourceTable(
                    folder, format, history.resolve(present.words(), asked.orElse(null)), TableSelection.ALL);
        });
    }

    /** The part of it that is asked for, which is checked. */
    SourceTable selecting(SparkSession session, TableSelection part) {
        if (!part.isAll()) {
            part.require(read(session), words());
        }

        return new SourceTable(name, format, version, part);
    }

    private void refuse(TableVersion version, String found) {
        throw new BadInputException("Cannot read the %s %s: expected a Delta or Iceberg table, found %s"
                .formatted(words(), version, found));
    }

    private static Optional<TableFormat> provider(SparkSession session, String name) {
        return described(session, name, "Provider")
                .filter(provider -> PROVIDER.matcher(provider).matches())
                .map(provider -> TableFormat.valueOf(provider.toUpperCase(Locale.ROOT)));
    }

    /** What Spark says about a table of the catalog under {@code heading}. */
    private static Optional<String> described(SparkSession session, String name, String heading) {
        return session
                .sql("DESCRIBE TABLE EXTENDED " + name)
                .where(col("col_name").equalTo(heading))
                .collectAsList()
                .stream()
                .map(row -> row.getString(1))
                .filter(Objects::nonNull)
                .findFirst();
    }

    /** Whether it is named by a catalog, not by its folder. */
    public boolean isOfCatalog() {
        return format == null;
    }

    /** The name of its format, such as {@code delta}; nothing for a view. */
    public Optional<String> formatName(SparkSession session) {
        return format == null
                ? described(session, name, "Provider").map(provider -> provider.toLowerCase(Locale.ROOT))
                : Optional.of(format.source());
    }

    /** The folder of the table; nothing for a view and for other tables that have none. */
    public Optional<String> location(SparkSession session) {
        return isOfCatalog() ? described(session, name, "Location") : Optional.of(name);
    }

    /** For messages and fingerprints: the rows of a state tell it from others. */
    public String words() {
        return named() + selection;
    }

    private String named() {
        return format == null ? "table " + name : "%s table %s".formatted(format.words(), name);
    }

    /** With its version, for reports. */
    public String told() {
        return version == null
                ? words()
                : String.format(Locale.ROOT, "%s VERSION AS OF %d%s", named(), version, selection);
    }

    /** The rows of its part in that state. */
    public Dataset<Row> read(SparkSession session) {
        return selection.of(all(session));
    }

    private Dataset<Row> all(SparkSession session) {
        if (format != null) {
            return opened(session, format, () -> load(session, format));
        }

        return version == null
                ? session.table(name)
                : session.sql(String.format(Locale.ROOT, "SELECT * FROM %s VERSION AS OF %d", name, version));
    }

    private Dataset<Row> load(SparkSession session, TableFormat ofFolder) {
        String option = ofFolder == TableFormat.DELTA ? "versionAsOf" : "snapshot-id";
        Map<String, String> options = version == null ? Map.of() : Map.of(option, String.valueOf(version));
        Dataset<Row> rows = ofFolder.load(session, name, name, options);
        String[] bookkeeping = Arrays.stream(rows.columns())
                .filter(column -> column.startsWith(HUDI_COLUMNS))
                .toArray(String[]::new);
        return rows.drop(bookkeeping);
    }

    /** Does {@code work} on the table, and says what is missing where Spark cannot open it. */
    private <T> T opened(SparkSession session, TableFormat ofFolder, Supplier<T> work) {
        try {
            return work.get();
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
                                .formatted(words(), PrintableText.firstLine(e), submitOptions(session, ofFolder)),
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
}
