package org.sparkqlora.spark.source;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.package$;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.SaveMode;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.data.RecordReading;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.spark.job.Clusters;
import org.sparkqlora.spark.prepare.DataPreparation;
import org.sparkqlora.spark.prepare.PreparationOptions;
import org.sparkqlora.spark.prepare.PreparationOptions.OnBadRecord;
import org.sparkqlora.spark.prepare.PreparationOptions.Packing;
import org.sparkqlora.spark.prepare.PreparedData;
import org.sparkqlora.spark.prepare.PreparedRows;
import org.sparkqlora.spark.prepare.RecordEncoders;
import scala.util.Properties;

/** The files of a table hold rows that were deleted or replaced: the table alone says which count. */
@Tag("platform")
class TableFoldersTest {
    private static final PreparationOptions ONE_A_ROW = new PreparationOptions(4, Packing.ONE_A_ROW, OnBadRecord.FAIL);

    /** Delta's own classes go through Kryo, and it asks for its rules of planning. */
    private static final Map<String, String> DELTA = Map.of(
            "spark.kryo.registrationRequired", "false",
            "spark.sql.shuffle.partitions", "2",
            "spark.databricks.delta.snapshotPartitions", "2",
            "spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension",
            "spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog");

    @TempDir
    private Path folder;

    private Path table;

    @BeforeEach
    void makeFolder() {
        table = folder.resolve("lake/table");
    }

    @Test
    void rowsThatADeltaTableReplacedAreNotTrainedOn() {
        try (JavaSparkContext context = Clusters.start(Clusters.TWO_SLOTS, DELTA)) {
            write(context, SaveMode.Overwrite, 0, 250);
            write(context, SaveMode.Overwrite, 1000, 20);
            write(context, SaveMode.Append, 2000, 10);

            List<Integer> ids = prepare(context, table.toString());

            assertThat(ids)
                    .containsExactlyInAnyOrderElementsOf(
                            Stream.of(IntStream.range(1000, 1020), IntStream.range(2000, 2010))
                                    .flatMap(IntStream::boxed)
                                    .toList());
        }
    }

    @Test
    void aSessionThatDeltaRefusesIsToldWhatItNeeds() {
        try (JavaSparkContext context = Clusters.start(Clusters.TWO_SLOTS, DELTA)) {
            write(context, SaveMode.Overwrite, 0, 9);
        }

        assertThatThrownBy(() -> prepareFresh(table.toString()))
                .isInstanceOf(BadInputException.class)
                .hasMessageStartingWith("Cannot read the Delta table file:%s: [DELTA_".formatted(table))
                .hasMessageContaining("--conf spark.sql.catalog.spark_catalog=org.apache.spark.sql.delta.catalog");
    }

    @Test
    void aFolderOfATableAndOfFilesGivesBoth() throws IOException {
        try (JavaSparkContext context = Clusters.start(Clusters.TWO_SLOTS, DELTA)) {
            write(context, SaveMode.Overwrite, 0, 9);
            write(context, SaveMode.Overwrite, 10, 2);
            Files.writeString(folder.resolve("lake/more.jsonl"), line(20));

            assertThat(prepare(context, folder.resolve("lake").toString())).containsExactlyInAnyOrder(20, 10, 11);
        }
    }

    @Test
    void theSameRowsOfADeltaTableAreTheSameDataHoweverTheyWereWritten() {
        try (JavaSparkContext context = Clusters.start(Clusters.TWO_SLOTS, DELTA)) {
            write(context, SaveMode.Overwrite, 0, 40);
            String first = fingerprint(context);
            List<Integer> ids = prepare(context, table.toString());
            write(context, SaveMode.Overwrite, 5, 3);
            String second = fingerprint(context);
            write(context, SaveMode.Overwrite, 20, 20);
            write(context, SaveMode.Append, 0, 20);

            assertThat(second).isNotEqualTo(first);
            assertThat(fingerprint(context)).isEqualTo(first);
            assertThat(prepare(context, table.toString())).isEqualTo(ids);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"part-0.jsonl", "*.jsonl", "day=1", "day=1/part-1.jsonl", "day=*"})
    void aPartOfATableIsRefused(String part) throws IOException {
        layOut("_delta_log/00000000000000000000.json");

        assertThatThrownBy(() -> prepareFresh(table.resolve(part).toString()))
                .isInstanceOf(BadInputException.class)
                .hasMessageStartingWith("Cannot read data from file:" + table)
                .hasMessageEndingWith(
                        "expected files on their own, found a part of the Delta table file:%s, which may hold rows that were deleted or replaced. Name the table's folder"
                                .formatted(table));
    }

    @Test
    void aTableWithoutItsDataSourceIsRefusedWithWhatToAdd() throws IOException {
        layOut(".hoodie/hoodie.properties");
        String options = TableFormat.HUDI.submitOptions(
                package$.MODULE$.SPARK_VERSION(),
                Properties.versionNumberString().replaceFirst("\\.\\d+$", ""));

        for (String named : List.of(table.toString(), folder.resolve("lake").toString())) {
            assertThatThrownBy(() -> prepareFresh(named))
                    .isInstanceOf(BadInputException.class)
                    .hasMessage(
                            "Cannot read the Hudi table file:%s: expected the data source 'hudi' on the class path, found none. Its files alone hold rows that were deleted or replaced. Add %s to spark-submit"
                                    .formatted(table, options));
        }
    }

    @Test
    void whatToAddIsOfTheLineOfSpark() {
        assertThat(TableFormat.DELTA.submitOptions("3.5.9", "2.12"))
                .startsWith("--packages io.delta:delta-spark_2.12:3.3.2 --conf spark.sql.extensions=io.delta.sql.");
        assertThat(TableFormat.ICEBERG.submitOptions("4.0.1", "2.13"))
                .isEqualTo("--packages org.apache.iceberg:iceberg-spark-runtime-4.0_2.13:1.10.1");
        assertThat(TableFormat.HUDI.submitOptions("9.1.0", "3"))
                .isEqualTo("--packages with the Hudi data source of Spark 9.1 and Scala 3");
    }

    @Test
    void filesBesideATableAreFilesOnTheirOwn() throws IOException {
        layOut("_delta_log/00000000000000000000.json");
        Files.writeString(folder.resolve("lake/own.jsonl"), line(7));

        assertThat(prepareFresh(folder.resolve("lake/*.jsonl").toString())).containsExactly(7);
    }

    private void layOut(String log) throws IOException {
        Files.createDirectories(table.resolve("day=1"));
        Files.writeString(table.resolve("part-0.jsonl"), line(1));
        Files.writeString(table.resolve("day=1/part-1.jsonl"), line(2));
        Files.createDirectories(table.resolve(log).getParent());
        Files.writeString(table.resolve(log), "{}");
    }

    private void write(JavaSparkContext context, SaveMode mode, int from, int count) {
        SparkSession session = SparkSession.builder().sparkContext(context.sc()).getOrCreate();
        List<String> lines = IntStream.range(from, from + count)
                .mapToObj(TableFoldersTest::line)
                .toList();
        session.read()
                .schema("input_ids array<int>, labels array<int>")
                .json(session.createDataset(lines, Encoders.STRING()))
                .write()
                .format("delta")
                .mode(mode)
                .save(table.toString());
    }

    private String fingerprint(JavaSparkContext context) {
        return new DataPreparation(context, null)
                .fingerprint(List.of(table.toString()), RecordEncoders.ofTokens(RecordReading.AUTO), ONE_A_ROW);
    }

    private List<Integer> prepareFresh(String source) {
        return Clusters.on(Clusters.ONE_SLOT, context -> prepare(context, source));
    }

    /** The first id of each row. */
    private List<Integer> prepare(JavaSparkContext context, String source) {
        PreparedData data = new DataPreparation(context, null)
                .prepare(
                        List.of(source),
                        RecordEncoders.ofTokens(RecordReading.AUTO),
                        ONE_A_ROW,
                        folder.resolve("rows").toString());
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
