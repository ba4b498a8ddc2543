package org.sparkqlora.spark.source;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.struct;
import static org.apache.spark.sql.functions.to_json;
import static org.apache.spark.sql.functions.when;

import java.net.URI;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.JavaPairRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/**
 * Rows of files with columns, which Spark reads, as JSON. Their order is that of the files by path and of the rows in each; how
 * Spark cuts files depends on nothing but them. Driver only.
 */
public final class TableRecords implements NumberedRecords {
    private static final String PATH = "path";
    private static final String BLOCK = "block";
    private static final String JSON = "json";
    private static final String FILE_PATH = "_metadata.file_path";
    private static final String BLOCK_START = "_metadata.file_block_start";

    /** The size of file splits: Spark's default depends on the number of cores, and would split them differently on another cluster. */
    private static final String CUTS = "64";

    /** The column of a spreadsheet that Spark fills where a row has more or fewer cells than there are names. */
    private static final String MALFORMED = "malformed row (spark-qlora)";

    private final TableReading reading;
    private final Dataset<Row> rows;
    private final BlockIndex index;

    private TableRecords(TableReading reading, Dataset<Row> rows, BlockIndex index) {
        this.reading = reading;
        this.rows = rows;
        this.index = index;
    }

    static TableRecords of(SparkSession session, SourceKind kind, List<SourceFile> files, ZoneId zone) {
        SparkSession own = session.newSession();
        own.conf().set("spark.sql.files.minPartitionNum", CUTS);
        own.conf().set("spark.sql.session.timeZone", zone.getId());
        own.conf().set("spark.sql.parquet.binaryAsString", "true"); // Impala does not mark texts
        own.conf().set("spark.sql.files.ignoreMissingFiles", "false");
        own.conf().set("spark.sql.files.ignoreCorruptFiles", "false");
        TableReading reading = new TableReading(own, kind, files);
        String[] paths = files.stream().map(SourceFile::path).toArray(String[]::new);
        boolean sheet = kind.separator().isPresent();
        Dataset<Row> rows = reading.open(
                () -> sheet ? sheet(reading, paths) : reading.reader().load(paths));
        Column record = to_json(struct(TableReading.columns(sheet ? rows.drop(MALFORMED) : rows)), kind.jsonOptions());
        Dataset<Row> json = rows.select(
                col(FILE_PATH).as(PATH),
                col(BLOCK_START).as(BLOCK),
                (sheet ? when(col("`" + MALFORMED + "`").isNull(), record) : record).as(JSON));
        return new TableRecords(reading, json, reading.open(() -> index(rows)));
    }

    private static Dataset<Row> sheet(TableReading reading, String... paths) {
        SparkSession session = reading.session();
        SheetCheck.requireSound(
                JavaSparkContext.fromSparkContext(session.sparkContext()),
                reading.files(),
                reading.kind().separator().orElseThrow(),
                session.sparkContext().hadoopConfiguration());
        StructType named = reading.reader().load(paths).schema();
        return reading.reader()
                .option("mode", "PERMISSIVE")
                .option("columnNameOfCorruptRecord", MALFORMED)
                .schema(named.add(MALFORMED, DataTypes.StringType))
                .load(paths);
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
    public long longestPiece() {
        return index.blocks().stream().mapToLong(BlockIndex.Block::rows).max().orElse(0);
    }

    @Override
    public String words() {
        return reading.kind().words();
    }

    @Override
    public JavaPairRDD<Long, String> numbered() {
        BlockIndex blocks = index;
        return rows.toJavaRDD().mapPartitionsToPair(part -> blocks.number(part));
    }

    @Override
    public <T> T read(Supplier<T> work) {
        return reading.read(work);
    }

    @Override
    public Optional<String> sample() {
        return rows.select(col(JSON)).where(col(JSON).isNotNull()).takeAsList(1).stream()
                .map(row -> row.getString(0))
                .findFirst();
    }

    @Override
    public BadLine place(long record, String problem) {
        BlockIndex.Place place = index.place(record);
        String path = URI.create(place.path()).getPath();
        Configuration configuration = reading.session().sparkContext().hadoopConfiguration();
        Optional<Character> separator = reading.kind().separator();
        return new BadLine(
                path,
                separator.isPresent()
                        ? SheetLines.lineOf(place.path(), place.row(), separator.get(), configuration)
                        : place.row(),
                problem);
    }

    /** All that Spark must read in ways of their own; times are written in {@code zone}. */
    public static List<TableRecords> all(SparkSession session, List<SourceFile> files, ZoneId zone) {
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
