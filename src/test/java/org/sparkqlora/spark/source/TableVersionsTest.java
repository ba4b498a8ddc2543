package org.sparkqlora.spark.source;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SaveMode;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.sparkqlora.data.RecordReading;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.spark.job.Clusters;
import org.sparkqlora.spark.prepare.DataPreparation;
import org.sparkqlora.spark.prepare.Manifest;
import org.sparkqlora.spark.prepare.PreparationOptions;
import org.sparkqlora.spark.prepare.PreparationOptions.OnBadRecord;
import org.sparkqlora.spark.prepare.PreparationOptions.Packing;
import org.sparkqlora.spark.prepare.PreparedData;
import org.sparkqlora.spark.prepare.PreparedRows;
import org.sparkqlora.spark.prepare.RecordEncoders;

/** A Delta or Iceberg table is read as it was, with the formats' own data sources. */
@Tag("platform")
class TableVersionsTest {
    private static final PreparationOptions ONE_A_ROW = new PreparationOptions(4, Packing.ONE_A_ROW, OnBadRecord.FAIL);

    @TempDir
    private Path folder;

    private int preparations;

    /** How a table is made and named. */
    enum Table {
        DELTA_FOLDER,
        DELTA_NAME,
        ICEBERG_FOLDER,
        ICEBERG_NAME;

        boolean isDelta() {
            return this == DELTA_FOLDER || this == DELTA_NAME;
        }

        String catalogName() {
            return isDelta() ? "default.lines" : "ice.lake.lines";
        }
    }

    @ParameterizedTest
    @EnumSource
    void anEarlierVersionGivesItsRowsThoughTheTableWentOn(Table table) {
        try (JavaSparkContext context = start()) {
            write(context, table, SaveMode.Overwrite, 0, 5);
            String source = source(table);
            String version = version(context, table);
            String present = fingerprint(context, source);
            PreparedData first = prepared(context, source);
            write(context, table, SaveMode.Append, 100, 7);
            write(context, table, SaveMode.Overwrite, 50, 3);

            String earlier = source + " VERSION AS OF " + version;

            Manifest again = prepared(context, earlier).manifest();
            assertThat(ids(context, first)).containsExactlyInAnyOrder(0, 1, 2, 3, 4);
            assertThat(fingerprint(context, earlier)).isEqualTo(present);
            assertThat(again.files()).isEqualTo(first.manifest().files()); // names and hashes
            assertThat(again.tables()).isEqualTo(first.manifest().tables()).hasSize(1);
            assertThat(again.tables().get(0)).contains("able ").endsWith("lines VERSION AS OF " + version);
            assertThat(prepare(context, source)).containsExactlyInAnyOrder(50, 51, 52);
        }
    }

    @ParameterizedTest
    @EnumSource
    void aPartOfAnEarlierVersionGivesItsRows(Table table) {
        try (JavaSparkContext context = start()) {
            write(context, table, SaveMode.Overwrite, 0, 5);
            String version = version(context, table);
            write(context, table, SaveMode.Overwrite, 50, 3);
            String earlier = source(table) + " VERSION AS OF " + version;
            String even = earlier + " WHERE input_ids[0] IN (0, 2, 50, 4)";

            Manifest part = prepared(context, even).manifest();

            assertThat(prepare(context, even)).containsExactlyInAnyOrder(0, 2, 4);
            assertThat(part.tables().get(0))
                    .endsWith("lines VERSION AS OF " + version + " WHERE input_ids[0] IN (0, 2, 50, 4)");
            assertThat(prepare(
                            context,
                            "SELECT array(input_ids[0] + 10, 1) AS input_ids, array(input_ids[0] + 10, 1) AS labels FROM "
                                    + even))
                    .containsExactlyInAnyOrder(10, 12, 14);
            assertThat(fingerprint(context, earlier + " WHERE input_ids[0] < 10"))
                    .isNotEqualTo(fingerprint(context, earlier))
                    .isEqualTo(fingerprint(context, earlier + " WHERE input_ids[0] < 10"));
            assertThatThrownBy(() -> prepare(context, earlier + " WHERE lang = 'en'"))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageContaining(
                            "lines WHERE lang = 'en': expected expressions of its columns [input_ids, labels], found ");
            assertThatThrownBy(() -> prepare(context, earlier + " WHERE rand() < 0.5"))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageContaining("expected expressions of a row alone, found rand");
        }
    }

    @ParameterizedTest
    @EnumSource
    void aPreparationReadsTheVersionThatItFoundFirst(Table table) {
        try (JavaSparkContext context = start()) {
            write(context, table, SaveMode.Overwrite, 0, 5);
            DataPreparation preparation = new DataPreparation(context, null);
            RecordEncoders encoders = RecordEncoders.ofTokens(RecordReading.AUTO);
            String before = preparation.fingerprint(List.of(source(table)), encoders, ONE_A_ROW);
            write(context, table, SaveMode.Overwrite, 50, 3);

            assertThat(preparation.fingerprint(List.of(source(table)), encoders, ONE_A_ROW))
                    .isEqualTo(before);
            assertThat(fingerprint(context, source(table))).isNotEqualTo(before);
        }
    }

    @ParameterizedTest
    @EnumSource
    void aTimeGivesTheVersionOfThen(Table table) throws InterruptedException {
        try (JavaSparkContext context = start()) {
            write(context, table, SaveMode.Overwrite, 0, 5);
            Thread.sleep(20); // states of one millisecond have no order
            String then =
                    session(context).sql("SELECT CAST(now() AS STRING)").head().getString(0);
            Thread.sleep(20);
            write(context, table, SaveMode.Overwrite, 50, 3);

            assertThat(prepare(context, source(table) + " TIMESTAMP AS OF '" + then + "'"))
                    .containsExactlyInAnyOrder(0, 1, 2, 3, 4);
        }
    }

    @ParameterizedTest
    @EnumSource
    void aVersionThatIsNotThereIsToldWithThoseThatAre(Table table) {
        try (JavaSparkContext context = start()) {
            write(context, table, SaveMode.Overwrite, 0, 5);

            assertThatThrownBy(() -> prepare(context, source(table) + " version as of 77"))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageStartingWith("Cannot read the ")
                    .hasMessageContaining(
                            ": expected VERSION AS OF 77, found others: " + version(context, table) + " (");
            assertThatThrownBy(() -> prepare(context, source(table) + " TIMESTAMP AS OF 2001-01-01"))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageContaining(": expected a state at or before 2001-01-01, found others: ");
        }
    }

    @Test
    void filesAndViewsHaveNoVersions() throws IOException {
        try (JavaSparkContext context = start()) {
            Path file = Files.writeString(folder.resolve("a.jsonl"), line(1));
            session(context).sql("SELECT 1 AS x").createOrReplaceTempView("seen");

            assertThatThrownBy(() -> prepare(context, file + " VERSION AS OF 1"))
                    .isInstanceOf(BadInputException.class)
                    .hasMessage("Cannot read %s VERSION AS OF 1: expected a Delta or Iceberg table, found files", file);
            assertThatThrownBy(() -> prepare(context, "seen VERSION AS OF 1"))
                    .isInstanceOf(BadInputException.class)
                    .hasMessage(
                            "Cannot read the table seen VERSION AS OF 1: expected a Delta or Iceberg table, found another table or a view");
            assertThatThrownBy(() -> prepare(context, "seen VERSION AS OF main"))
                    .isInstanceOf(BadInputException.class)
                    .hasMessage(
                            "Cannot read a table VERSION AS OF main: expected the number of a Delta version or of an Iceberg snapshot");
        }
    }

    private JavaSparkContext start() {
        Map<String, String> settings = new HashMap<>(Map.of(
                "spark.kryo.registrationRequired", "false", // classes of the formats
                "spark.sql.shuffle.partitions", "2",
                "spark.databricks.delta.snapshotPartitions", "2",
                "spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension",
                "spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog",
                "spark.sql.catalog.ice", "org.apache.iceberg.spark.SparkCatalog",
                "spark.sql.catalog.ice.type", "hadoop",
                "spark.sql.catalog.ice.warehouse", folder.resolve("ice").toString()));
        settings.put("spark.sql.warehouse.dir", folder.resolve("warehouse").toString());
        return Clusters.start(Clusters.TWO_SLOTS, settings);
    }

    private String source(Table table) {
        return switch (table) {
            case DELTA_FOLDER -> folder.resolve("warehouse/lines").toString();
            case ICEBERG_FOLDER -> folder.resolve("ice/lake/lines").toString();
            case DELTA_NAME, ICEBERG_NAME -> table.catalogName();
        };
    }

    private void write(JavaSparkContext context, Table table, SaveMode mode, int from, int count) {
        SparkSession session = session(context);
        List<String> lines = IntStream.range(from, from + count)
                .mapToObj(TableVersionsTest::line)
                .toList();
        Dataset<Row> rows = session.read()
                .schema("input_ids array<int>, labels array<int>")
                .json(session.createDataset(lines, Encoders.STRING()));
        if (table.isDelta()) {
            String path = folder.resolve("warehouse/lines").toString();
            rows.write().format("delta").mode(mode).save(path);
            session.sql("CREATE TABLE IF NOT EXISTS %s USING delta LOCATION '%s'".formatted(table.catalogName(), path));
        } else if (session.catalog().tableExists(table.catalogName())) {
            rows.write().mode(mode).insertInto(table.catalogName());
        } else {
            rows.write().format("iceberg").saveAsTable(table.catalogName());
        }
    }

    /** The newest. */
    private static String version(JavaSparkContext context, Table table) {
        SparkSession session = session(context);
        return table.isDelta()
                ? String.valueOf(session.sql("DESCRIBE HISTORY " + table.catalogName())
                        .head()
                        .getLong(0))
                : String.valueOf(session.table(table.catalogName() + ".history")
                        .selectExpr("max_by(snapshot_id, made_current_at)")
                        .head()
                        .getLong(0));
    }

    private static SparkSession session(JavaSparkContext context) {
        return SparkSession.builder().sparkContext(context.sc()).getOrCreate();
    }

    private static String fingerprint(JavaSparkContext context, String source) {
        return new DataPreparation(context, null)
                .fingerprint(List.of(source), RecordEncoders.ofTokens(RecordReading.AUTO), ONE_A_ROW);
    }

    private PreparedData prepared(JavaSparkContext context, String source) {
        return new DataPreparation(context, null)
                .prepare(
                        List.of(source),
                        RecordEncoders.ofTokens(RecordReading.AUTO),
                        ONE_A_ROW,
                        folder.resolve("rows-" + preparations++).toString());
    }

    private List<Integer> prepare(JavaSparkContext context, String source) {
        return ids(context, prepared(context, source));
    }

    /** The first id of each row. */
    private static List<Integer> ids(JavaSparkContext context, PreparedData data) {
        List<Integer> ids = new ArrayList<>();
        try (PreparedRows rows = data.reader(context.hadoopConfiguration())) {
            for (long i = 0; i < rows.rows(); i++) {
                ids.add(rows.read(i).ids()[0]);
            }
        }

        return ids;
    }

    private static String line(int id) {
        return "{\"input_ids\": [%d, 1], \"labels\": [%d, 1]}".formatted(id, id);
    }
}
