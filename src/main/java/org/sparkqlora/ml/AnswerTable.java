package org.sparkqlora.ml;

import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.apache.spark.sql.AnalysisException;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.DataFrameWriterV2;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.Metadata;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.input.PrintableText;
import org.sparkqlora.options.UsedAdapters;
import org.sparkqlora.run.generate.AnswerQuestion;
import org.sparkqlora.run.generate.AnswerQuestionJson;
import org.sparkqlora.spark.source.SourceTable;

/**
 * A table of the catalog that answers go into: as a whole, or part by part where a commit of its format is atomic. Driver only.
 *
 * @param format that is asked for; null for that of the catalog
 */
record AnswerTable(
        SparkSession session, String name, @Nullable String format) {
    /** The column with the number of a row's part. */
    static final String PART = "answer_part";

    private static final String QUESTION = "spark-qlora.question";
    private static final Set<String> ATOMIC = Set.of("delta", "iceberg");
    private static final String CATALOG = "spark.sql.catalog.";
    private static final String DEFAULT_FORMAT = "spark.sql.sources.default";

    /**
     * The question that the table answers already; empty where there is no table.
     *
     * @throws BadInputException where it is somebody else's
     */
    Optional<AnswerQuestion> begun() {
        if (!SourceTable.exists(session, name)) {
            return Optional.empty();
        }

        return Optional.of(
                session.sql("SHOW TBLPROPERTIES " + name).where(col("key").equalTo(QUESTION)).collectAsList().stream()
                        .map(row -> AnswerQuestionJson.ofProperty(row.getString(1)))
                        .findFirst()
                        .orElseThrow(() ->
                                refused("a table that does not exist yet, or one that this command began", "one")));
    }

    /** Whether a commit of the format adds all of its rows or none, and replaces those that were written before. */
    boolean takesParts() {
        return ATOMIC.contains(formatName());
    }

    /** The format of the table that would be made. */
    String formatName() {
        if (format != null) {
            return format.toLowerCase(Locale.ROOT);
        }

        String[] parts = name.split("\\.", -1);
        String catalog = parts.length > 1 && session.conf().contains(CATALOG + parts[0])
                ? parts[0]
                : session.catalog().currentCatalog();
        String type = session.conf().get(CATALOG + catalog, "");
        return type.equals("org.apache.iceberg.spark.SparkCatalog")
                ? "iceberg"
                : session.conf().get(DEFAULT_FORMAT).toLowerCase(Locale.ROOT);
    }

    /** Makes the table of parts, without rows. */
    void create(StructType schema, AnswerQuestion question) {
        StructField[] fields = Arrays.stream(
                        schema.add(PART, DataTypes.IntegerType).fields())
                .map(field -> new StructField(field.name(), field.dataType(), true, Metadata.empty()))
                .toArray(StructField[]::new);
        create(
                session.createDataFrame(List.of(), new StructType(fields)),
                Map.of(QUESTION, AnswerQuestionJson.property(question)));
    }

    /** Makes the table of {@code rows}. */
    void create(Dataset<Row> rows) {
        create(rows, Map.of());
    }

    private void create(Dataset<Row> rows, Map<String, String> properties) {
        try {
            DataFrameWriterV2<Row> writer = rows.writeTo(name);
            var creation = format == null ? writer : writer.using(format);
            for (Map.Entry<String, String> property : properties.entrySet()) {
                creation = creation.tableProperty(property.getKey(), property.getValue());
            }

            creation.create();
        } catch (BadInputException e) {
            throw e;
        } catch (AnalysisException | IllegalArgumentException e) {
            throw new BadInputException(
                    "--answer-table: Cannot make %s: expected a table that Spark can make there, found %s"
                            .formatted(name, PrintableText.firstLine(e)),
                    e);
        }
    }

    /** The rows that each part has. */
    Map<Integer, Long> counts() {
        Map<Integer, Long> counts = new TreeMap<>();
        Column part = col(PART);
        session.table(name)
                .groupBy(part)
                .count()
                .collectAsList()
                .forEach(row -> counts.put(row.isNullAt(0) ? -1 : row.getInt(0), row.getLong(1)));
        return counts;
    }

    /** All rows, and those with an error. */
    TableAnswers.RowCount count(String error) {
        Row counted = session.table(name)
                .agg(functions.count(lit(1)), functions.count(col(error)))
                .first();
        return new TableAnswers.RowCount(counted.getLong(0), counted.getLong(1));
    }

    /**
     * The rows of each adapter by its name, empty for those that name none.
     *
     * @param adapter column of the names
     * @param names that are known; rows that name another adapter are not counted
     * @param error column
     */
    SortedMap<String, TableAnswers.RowCount> counts(String adapter, Set<String> names, String error) {
        SortedMap<String, TableAnswers.RowCount> counts = new TreeMap<>();
        Column name = coalesce(col(RecordFields.quoted(adapter)), lit(""));
        session.table(this.name)
                .where(name.isInCollection(names).or(name.isin("", UsedAdapters.BASE)))
                .groupBy(name)
                .agg(functions.count(lit(1)), functions.count(col(error)))
                .collectAsList()
                .forEach(
                        row -> counts.put(row.getString(0), new TableAnswers.RowCount(row.getLong(1), row.getLong(2))));
        return counts;
    }

    /** Commits a part, in place of what another driver may have written of it in the meantime. */
    void write(Dataset<Row> rows, int part) {
        try {
            rows.withColumn(PART, lit(part)).writeTo(name).overwrite(col(PART).equalTo(part));
        } catch (AnalysisException e) {
            throw new BadInputException(
                    "--answer-table: Cannot write part %d of %s: expected the table that this command made, found %s"
                            .formatted(part, name, PrintableText.firstLine(e)),
                    e);
        }
    }

    BadInputException refused(String expected, String found) {
        return new BadInputException(
                "--answer-table: Cannot write %s: expected %s, found %s".formatted(name, expected, found));
    }
}
