package org.sparkqlora.spark.source;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.streaming.Trigger;
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

/** A streaming query leaves files of batches that were done again: the log of its sink alone says which count. */
class SinkFoldersTest {
    private static final PreparationOptions ONE_A_ROW = new PreparationOptions(4, Packing.ONE_A_ROW, OnBadRecord.FAIL);

    /** A streaming query sends Spark's own classes, which training does not. */
    private static final Map<String, String> STREAMING = Map.of("spark.kryo.registrationRequired", "false");

    @TempDir
    private Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"parquet", "json"})
    void filesThatTheLogDoesNotNameAreNotTrainedOn(String format) throws IOException {
        try (JavaSparkContext context = Clusters.start(Clusters.TWO_SLOTS, STREAMING)) {
            Path sink = stream(context, format, 1, 2);
            Path again = sink.resolve("part-again-" + written(sink).getFileName());
            Files.copy(written(sink), again);
            Files.writeString(folder.resolve("lake/more.jsonl"), line(3));

            assertThat(prepare(context, sink)).containsExactlyInAnyOrder(1, 2);
            assertThat(prepare(context, folder.resolve("lake"))).containsExactlyInAnyOrder(1, 2, 3);
        }
    }

    @Test
    void filesOfAllPartitionsThatTheLogNamesAreRead() throws IOException {
        try (JavaSparkContext context = Clusters.start(Clusters.TWO_SLOTS, STREAMING)) {
            Path sink = stream(context, "json", List.of("day"), 1, 2);
            Files.writeString(sink.resolve("day=1").resolve("part-again.json"), line(1));

            assertThat(sink.resolve("day=2")).isDirectory();
            assertThat(prepare(context, sink)).containsExactlyInAnyOrder(1, 2);
        }
    }

    @Test
    void partOfASinkIsRefused() throws IOException {
        try (JavaSparkContext context = Clusters.start(Clusters.TWO_SLOTS, STREAMING)) {
            Path sink = stream(context, "json", 1);

            assertThatThrownBy(() -> prepare(context, sink.resolve("*.json")))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageStartingWith("Cannot read data from file:" + sink)
                    .hasMessageEndingWith(
                            "found a part of the streaming sink file:%s, which may hold rows that were written twice. Name the sink's folder",
                            sink);
        }
    }

    @Test
    void filesThatTheLogNamesMustBeThere() throws IOException {
        try (JavaSparkContext context = Clusters.start(Clusters.TWO_SLOTS, STREAMING)) {
            Path sink = stream(context, "json", 1);
            Path moved = folder.resolve("moved");
            Files.move(sink, moved);

            assertThatThrownBy(() -> prepare(context, moved))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageStartingWith(
                            "Cannot read data from file:%s: expected files there that its log _spark_metadata names, found none",
                            moved);

            Files.move(moved, sink);
            Path lost = written(sink);
            Files.move(lost, sink.resolve("other.json"));
            assertThatThrownBy(() -> prepare(context, sink))
                    .isInstanceOf(BadInputException.class)
                    .hasMessage(
                            "Cannot read data from file:%s: expected the files that its log _spark_metadata names, found 1 of 1 missing, such as file:%s",
                            sink, lost);
        }
    }

    /** Writes records with {@code ids} by a query that ends at once. */
    private Path stream(JavaSparkContext context, String format, int... ids) throws IOException {
        return stream(context, format, List.of(), ids);
    }

    private Path stream(JavaSparkContext context, String format, List<String> partitions, int... ids)
            throws IOException {
        Path source = Files.createDirectories(folder.resolve("source"));
        for (int id : ids) {
            Files.writeString(source.resolve(id + ".json"), line(id));
        }

        Path sink = folder.resolve("lake/sink");
        SparkSession session = SparkSession.builder().sparkContext(context.sc()).getOrCreate();
        try {
            session.readStream()
                    .schema("input_ids array<int>, labels array<int>")
                    .json(source.toString())
                    .withColumn("day", functions.col("input_ids").getItem(0))
                    .writeStream()
                    .format(format)
                    .partitionBy(partitions.toArray(String[]::new))
                    .option("checkpointLocation", folder.resolve("progress").toString())
                    .trigger(Trigger.AvailableNow())
                    .start(sink.toString())
                    .awaitTermination();
        } catch (Exception e) {
            throw new IOException(e);
        }

        return sink;
    }

    private static Path written(Path sink) throws IOException {
        try (Stream<Path> files = Files.list(sink)) {
            return files.filter(file -> file.getFileName().toString().startsWith("part-"))
                    .findFirst()
                    .orElseThrow();
        }
    }

    /** The first id of each row. */
    private List<Integer> prepare(JavaSparkContext context, Path source) {
        PreparedData data = new DataPreparation(context, null)
                .prepare(
                        List.of(source.toString()),
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
