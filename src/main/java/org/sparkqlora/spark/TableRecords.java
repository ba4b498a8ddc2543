package org.sparkqlora.spark;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.struct;
import static org.apache.spark.sql.functions.to_json;

import java.net.URI;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.JavaPairRDD;
import org.apache.spark.sql.AnalysisException;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.DataFrameReader;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import org.sparkqlora.input.BadInputException;

/**
 * Rows of files with columns, which Spark reads, as JSON. Their order is that of the files by path and of the rows in each; how
 * Spark cuts files depends on nothing but them. Driver only.
 */
final class TableRecords implements NumberedRecords {
    private static final String PATH = "path";
    private static final String BLOCK = "block";
    private static final String JSON = "json";
    private static final String FILE_PATH = "_metadata.file_path";
    private static final String BLOCK_START = "_metadata.file_block_start";

    /** Where files are cut: the number of cores, which Spark takes else, would cut them elsewhere on another cluster. */
    private static final String CUTS = "64";

    /** What the readers of Parquet and ORC say of a file that is neither. */
    private static final Pattern NO_SUCH_FILE = Pattern.compile("is not a Parquet file|Malformed ORC file");

    private final SourceKind kind;
    private final Dataset<Row> rows;
    private final BlockIndex index;

    private TableRecords(SourceKind kind, Dataset<Row> rows, BlockIndex index) {
        this.kind = kind;
        this.rows = rows;
        this.index = index;
    }

    static TableRecords of(SparkSession session, SourceKind kind, List<SourceFile> files, ZoneId zone) {
        SparkSession own = session.newSession();
        own.conf().set("spark.sql.files.minPartitionNum", CUTS);
        own.conf().set("spark.sql.session.timeZone", zone.getId());
        own.conf().set("spark.sql.files.ignoreMissingFiles", "false");
        own.conf().set("spark.sql.files.ignoreCorruptFiles", "false");
        String[] paths = files.stream().map(SourceFile::path).toArray(String[]::new);
        Dataset<Row> rows = read(kind, () -> reader(own, kind).load(paths));
        Column[] columns = Arrays.stream(rows.columns())
                .map(name -> col("`" + name.replace("`", "``") + "`"))
                .toArray(Column[]::new);
        Dataset<Row> json = rows.select(
                col(FILE_PATH).as(PATH),
                col(BLOCK_START).as(BLOCK),
                to_json(struct(columns), kind.jsonOptions()).as(JSON));
        return new TableRecords(kind, json, read(kind, () -> index(rows)));
    }

    /** Spark throws a lost job as a checked exception that no signature declares. */
    private static <T> T read(SourceKind kind, Supplier<T> work) {
        try {
            return work.get();
        } catch (Exception e) {
            Throwable root = root(e);
            String reason = String.join(
                    " ",
                    String.valueOf(root.getMessage()).lines().map(String::strip).toList());
            if (NO_SUCH_FILE.matcher(reason).find()) {
                throw new BadInputException(
                        "Cannot read data: expected %s, found another file: %s".formatted(kind.words(), reason), e);
            }

            if (root instanceof AnalysisException || root instanceof IllegalArgumentException) {
                throw new BadInputException(
                        "Cannot read data: expected %s of the same columns, found others: %s"
                                .formatted(kind.words(), reason),
                        e);
            }

            throw e;
        }
    }

    private static Throwable root(Throwable thrown) {
        Throwable root = thrown;
        while (root.getCause() != null) {
            root = root.getCause();
        }

        return root;
    }

    private static DataFrameReader reader(SparkSession session, SourceKind kind) {
        return switch (kind) {
            case PARQUET -> session.read().format("parquet").option("mergeSchema", "true");
            case ORC -> session.read().format("orc").option("mergeSchema", "true");
            case CSV, TSV -> sheet(session, kind.separator().orElseThrow());
            case JSON_LINES, JSON_LIST, TEXT -> throw new IllegalStateException("Cannot read a table of " + kind);
        };
    }

    /** As spreadsheets and pandas write it: a line of names, quotes doubled within quotes, line ends within quotes. */
    private static DataFrameReader sheet(SparkSession session, char separator) {
        return session.read()
                .format("csv")
                .option("header", "true")
                .option("sep", String.valueOf(separator))
                .option("quote", "\"")
                .option("escape", "\"")
                .option("multiLine", "true")
                .option("enforceSchema", "false")
                .option("mode", "FAILFAST");
    }

    private static BlockIndex index(Dataset<Row> rows) {
        List<Row> counts = rows.select(col(FILE_PATH).as(PATH), col(BLOCK_START).as(BLOCK))
                .groupBy(col(PATH), col(BLOCK))
                .agg(functions.count(lit(1)))
                .orderBy(col(PATH), col(BLOCK))
                .collectAsList();
        return BlockIndex.of(counts.stream()
                .map(row -> new BlockIndex.Block(row.getString(0), row.getLong(1), row.getLong(2)))
                .toList());
    }

    @Override
    public long count() {
        return index.rows();
    }

    @Override
    public String words() {
        return kind.words();
    }

    @Override
    public JavaPairRDD<Long, String> numbered() {
        BlockIndex blocks = index;
        return rows.toJavaRDD().mapPartitionsToPair(part -> blocks.number(part));
    }

    @Override
    public Optional<String> sample() {
        return rows.select(col(JSON)).takeAsList(1).stream()
                .map(row -> row.getString(0))
                .findFirst();
    }

    @Override
    public BadLine place(long record, String problem) {
        BlockIndex.Place place = index.place(record);
        String path = URI.create(place.path()).getPath();
        Configuration configuration = rows.sparkSession().sessionState().newHadoopConf();
        return new BadLine(
                path,
                kind.separator().isPresent()
                        ? SheetLines.lineOf(
                                place.path(), place.row(), kind.separator().get(), configuration)
                        : place.row(),
                problem);
    }

    /** All that Spark must read in ways of their own; times are written in {@code zone}. */
    static List<TableRecords> all(SparkSession session, List<SourceFile> files, ZoneId zone) {
        List<TableRecords> tables = new ArrayList<>();
        for (SourceKind kind : SourceKind.values()) {
            List<SourceFile> ofKind =
                    files.stream().filter(file -> file.kind() == kind).toList();
            if (kind.isTable() && !ofKind.isEmpty()) {
                tables.add(of(session, kind, ofKind, zone));
            }
        }

        return tables;
    }
}
