package org.sparkqlora.spark.source;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SaveMode;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.sparkqlora.cli.LakeSettings;
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
    private static Path folder;

    private static JavaSparkContext context;
    private static int schemas;
    private static int preparations;

    /** Of the case's tables. */
    private final String schema = "lake" + schemas++;

    /** How a table is made and named. */
    enum Table {
        DELTA_FOLDER,
        DELTA_NAME,
        ICEBERG_FOLDER,
        ICEBERG_NAME;

        boolean isDelta() {
            return this == DELTA_FOLDER || this == DELTA_NAME;
        }

        String nameIn(String schema) {
            return (isDelta() ? "%s.lines" : "ice.%s.lines").formatted(schema);
        }
    }

    @BeforeAll
    static void start() {
        context = Clusters.start(Clusters.TWO_SLOTS, LakeSettings.in(folder));
    }

    @AfterAll
    static void stop() {
        context.close();
    }

    @ParameterizedTest
    @EnumSource
    void anEarlierVersionGivesItsRowsThoughTheTableWentOn(Table table) {
        write(table, SaveMode.Overwrite, 0, 5);
        String source = source(table);
        String version = version(table);
        String present = fingerprint(source);
        PreparedData first = prepared(source);
        write(table, SaveMode.Append, 100, 7);
        write(table, SaveMode.Overwrite, 50, 3);

        String earlier = source + " VERSION AS OF " + version;

        Manifest again = prepared(earlier).manifest();
        assertThat(ids(first)).containsExactlyInAnyOrder(0, 1, 2, 3, 4);
        assertThat(fingerprint(earlier)).isEqualTo(present);
        assertThat(again.files()).isEqualTo(first.manifest().files()); // names and hashes
        assertThat(again.tables()).isEqualTo(first.manifest().tables()).hasSize(1);
        assertThat(again.tables().get(0)).contains("able ").endsWith("lines VERSION AS OF " + version);
        assertThat(prepare(source)).containsExactlyInAnyOrder(50, 51, 52);
    }

    @ParameterizedTest
    @EnumSource
    void aPartOfAnEarlierVersionGivesItsRows(Table table) {
        write(table, SaveMode.Overwrite, 0, 5);
        String version = version(table);
        write(table, SaveMode.Overwrite, 50, 3);
        String earlier = source(table) + " VERSION AS OF " + version;
        String even = earlier + " WHERE input_ids[0] IN (0, 2, 50, 4)";

        Manifest part = prepared(even).manifest();

        assertThat(prepare(even)).containsExactlyInAnyOrder(0, 2, 4);
        assertThat(part.tables().get(0))
                .endsWith("lines VERSION AS OF " + version + " WHERE input_ids[0] IN (0, 2, 50, 4)");
        assertThat(prepare(
                        "SELECT array(input_ids[0] + 10, 1) AS input_ids, array(input_ids[0] + 10, 1) AS labels FROM "
                                + even))
                .containsExactlyInAnyOrder(10, 12, 14);
        assertThat(fingerprint(earlier + " WHERE input_ids[0] < 10"))
                .isNotEqualTo(fingerprint(earlier))
                .isEqualTo(fingerprint(earlier + " WHERE input_ids[0] < 10"));
        assertThatThrownBy(() -> prepare(earlier + " WHERE lang = 'en'"))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining(
                        "lines WHERE lang = 'en': expected expressions of its columns [input_ids, labels], found ");
        assertThatThrownBy(() -> prepare(earlier + " WHERE rand() < 0.5"))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("expected expressions of a row alone, found rand");
    }

    @ParameterizedTest
    @EnumSource
    void aPreparationReadsTheVersionThatItFoundFirst(Table table) {
        write(table, SaveMode.Overwrite, 0, 5);
        DataPreparation preparation = new DataPreparation(context, null);
        RecordEncoders encoders = RecordEncoders.ofTokens(RecordReading.AUTO);
        String before = preparation.fingerprint(List.of(source(table)), encoders, ONE_A_ROW);
        write(table, SaveMode.Overwrite, 50, 3);

        assertThat(preparation.fingerprint(List.of(source(table)), encoders, ONE_A_ROW))
                .isEqualTo(before);
        assertThat(fingerprint(source(table))).isNotEqualTo(before);
    }

    @ParameterizedTest
    @EnumSource
    void aTimeGivesTheVersionOfThen(Table table) throws InterruptedException {
        write(table, SaveMode.Overwrite, 0, 5);
        Thread.sleep(20); // states of one millisecond have no order
        String then = session().sql("SELECT CAST(now() AS STRING)").head().getString(0);
        Thread.sleep(20);
        write(table, SaveMode.Overwrite, 50, 3);

        assertThat(prepare(source(table) + " TIMESTAMP AS OF '" + then + "'")).containsExactlyInAnyOrder(0, 1, 2, 3, 4);
    }

    @ParameterizedTest
    @EnumSource
    void aVersionThatIsNotThereIsToldWithThoseThatAre(Table table) {
        write(table, SaveMode.Overwrite, 0, 5);

        assertThatThrownBy(() -> prepare(source(table) + " version as of 77"))
                .isInstanceOf(BadInputException.class)
                .hasMessageStartingWith("Cannot read the ")
                .hasMessageContaining(": expected VERSION AS OF 77, found others: " + version(table) + " (");
        assertThatThrownBy(() -> prepare(source(table) + " TIMESTAMP AS OF 2001-01-01"))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining(": expected a state at or before 2001-01-01, found others: ");
    }

    @Test
    void filesAndViewsHaveNoVersions() throws IOException {
        Path file = Files.writeString(folder.resolve("a.jsonl"), line(1));
        session().sql("SELECT 1 AS x").createOrReplaceTempView("seen");

        assertThatThrownBy(() -> prepare(file + " VERSION AS OF 1"))
                .isInstanceOf(BadInputException.class)
                .hasMessage("Cannot read %s VERSION AS OF 1: expected a Delta or Iceberg table, found files", file);
        assertThatThrownBy(() -> prepare("seen VERSION AS OF 1"))
                .isInstanceOf(BadInputException.class)
                .hasMessage(
                        "Cannot read the table seen VERSION AS OF 1: expected a Delta or Iceberg table, found another table or a view");
        assertThatThrownBy(() -> prepare("seen VERSION AS OF main"))
                .isInstanceOf(BadInputException.class)
                .hasMessage(
                        "Cannot read a table VERSION AS OF main: expected the number of a Delta version or of an Iceberg snapshot");
    }

    private String source(Table table) {
        return switch (table) {
            case DELTA_FOLDER -> deltaFolder();
            case ICEBERG_FOLDER ->
                folder.resolve("ice/%s/lines".formatted(schema)).toString();
            case DELTA_NAME, ICEBERG_NAME -> table.nameIn(schema);
        };
    }

    private void write(Table table, SaveMode mode, int from, int count) {
        SparkSession session = session();
        String name = table.nameIn(schema);
        List<String> lines = IntStream.range(from, from + count)
                .mapToObj(TableVersionsTest::line)
                .toList();
        Dataset<Row> rows = session.read()
                .schema("input_ids array<int>, labels array<int>")
                .json(session.createDataset(lines, Encoders.STRING()));
        if (table.isDelta()) {
            rows.write().format("delta").mode(mode).save(deltaFolder());
            session.sql("CREATE SCHEMA IF NOT EXISTS " + schema);
            session.sql("CREATE TABLE IF NOT EXISTS %s USING delta LOCATION '%s'".formatted(name, deltaFolder()));
        } else if (session.catalog().tableExists(name)) {
            rows.write().mode(mode).insertInto(name);
        } else {
            rows.write().format("iceberg").saveAsTable(name);
        }
    }

    private String deltaFolder() {
        return folder.resolve(schema + "/lines").toString();
    }

    /** The newest. */
    private String version(Table table) {
        SparkSession session = session();
        return table.isDelta()
                ? String.valueOf(session.sql("DESCRIBE HISTORY " + table.nameIn(schema))
                        .head()
                        .getLong(0))
                : String.valueOf(session.table(table.nameIn(schema) + ".history")
                        .selectExpr("max_by(snapshot_id, made_current_at)")
                        .head()
                        .getLong(0));
    }

    private static SparkSession session() {
        return SparkSession.builder().sparkContext(context.sc()).getOrCreate();
    }

    private static String fingerprint(String source) {
        return new DataPreparation(context, null)
                .fingerprint(List.of(source), RecordEncoders.ofTokens(RecordReading.AUTO), ONE_A_ROW);
    }

    private PreparedData prepared(String source) {
        return new DataPreparation(context, null)
                .prepare(
                        List.of(source),
                        RecordEncoders.ofTokens(RecordReading.AUTO),
                        ONE_A_ROW,
                        folder.resolve("rows-" + preparations++).toString());
    }

    private List<Integer> prepare(String source) {
        return ids(prepared(source));
    }

    /** The first id of each row. */
    private static List<Integer> ids(PreparedData data) {
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
