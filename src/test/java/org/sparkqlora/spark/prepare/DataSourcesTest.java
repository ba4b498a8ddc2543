package org.sparkqlora.spark.prepare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.example.data.simple.SimpleGroup;
import org.apache.parquet.hadoop.ParquetWriter;
import org.apache.parquet.hadoop.example.ExampleParquetWriter;
import org.apache.parquet.hadoop.util.HadoopOutputFile;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.MessageTypeParser;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.data.Columns;
import org.sparkqlora.data.HeldOutSplit;
import org.sparkqlora.data.RecordFormat;
import org.sparkqlora.data.RecordReading;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.spark.job.Clusters;
import org.sparkqlora.spark.prepare.PreparationOptions.OnBadRecord;
import org.sparkqlora.spark.prepare.PreparationOptions.Packing;
import org.sparkqlora.spark.source.FirstRecord;
import org.sparkqlora.spark.source.WeightedSource;
import org.sparkqlora.tokenizer.packing.TokenRow;

/** Records of every kind of source, as token ids: what arrives, and in which order. */
class DataSourcesTest {
    private static final PreparationOptions ONE_A_ROW = new PreparationOptions(4, Packing.ONE_A_ROW, OnBadRecord.FAIL);
    private static final int RECORDS = 700;

    @TempDir
    private Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"parquet", "orc", "json"})
    void everyRowOfAFolderArrivesInTheOrderOfItsFilesOnAnyCluster(String format) {
        Path source = folder.resolve("source");
        try (JavaSparkContext context =
                Clusters.start(Clusters.ONE_SLOT, Map.of("spark.kryo.registrationRequired", "false"))) {
            write(context, format, source);
        }

        List<Integer> one = Clusters.on(Clusters.ONE_SLOT, context -> prepare(context, "one", source.toString()));
        List<Integer> four = Clusters.on("local[4]", context -> prepare(context, "four", source.toString()));

        assertThat(one).isEqualTo(IntStream.range(0, RECORDS).boxed().toList());
        assertThat(four).isEqualTo(one);
    }

    @Test
    void filesOfSeveralKindsAreReadTogether() throws IOException {
        Files.writeString(folder.resolve("a.json"), " [" + line(0) + ",\n " + line(1) + "]");
        Files.writeString(folder.resolve("b.jsonl"), line(2) + "\n" + line(3) + "\n");
        Files.writeString(
                folder.resolve("c.csv"), "input_ids,labels\n\"[4, 1]\",\"[4, 1]\"\n\"[5,\n 1]\",\"[5, 1]\"\n");
        Files.writeString(folder.resolve("d.tsv"), "input_ids\tlabels\n[6, 1]\t[6, 1]\n");

        assertThat(prepare(folder.toString())).containsExactly(0, 1, 2, 3, 4, 5, 6);
    }

    @Test
    void rowsOfATableHaveTheOrderThatTheirContentGives() {
        List<Integer> one = Clusters.on(Clusters.ONE_SLOT, context -> prepareTable(context, 1));
        List<Integer> three = Clusters.on(Clusters.TWO_SLOTS, context -> prepareTable(context, 3));

        assertThat(one)
                .containsExactlyInAnyOrderElementsOf(
                        IntStream.range(0, RECORDS).boxed().toList());
        assertThat(three).isEqualTo(one);
    }

    /** As Impala and old versions of Hive write them. */
    @Test
    void textsThatParquetDoesNotMarkAsTextsAreRead() throws IOException {
        MessageType type = MessageTypeParser.parseMessageType(
                "message row { required binary input_ids; required binary labels; }");
        Path file = folder.resolve("unmarked.parquet");
        try (ParquetWriter<Group> writer = ExampleParquetWriter.builder(
                        HadoopOutputFile.fromPath(new org.apache.hadoop.fs.Path(file.toUri()), new Configuration()))
                .withType(type)
                .build()) {
            writer.write(new SimpleGroup(type).append("input_ids", "[7, 1]").append("labels", "[7, 1]"));
        }

        assertThat(prepare(file.toString())).containsExactly(7);
    }

    @Test
    void weightsMixSourcesWithoutUsingARecordTwice() throws IOException {
        Path a = Files.writeString(folder.resolve("a.jsonl"), lines(0, 700));
        Path b = Files.writeString(folder.resolve("b.jsonl"), lines(1000, 100));

        List<Integer> mixed = prepare(a + "=0.7", b + "=0.3");

        assertThat(mixed.stream().filter(id -> id >= 1000)).hasSize(100).doesNotHaveDuplicates();
        assertThat(mixed.stream().filter(id -> id < 1000)).hasSize(233).doesNotHaveDuplicates();
        List<Integer> first = mixed.stream().filter(id -> id < 1000).toList();
        assertThat(first).startsWith(3).endsWith(699); // spread over the source, not its beginning
    }

    @Test
    void aPartIsHeldOutAndTheRestTrains() throws IOException {
        Path a = Files.writeString(folder.resolve("a.jsonl"), lines(0, 700));
        Path b = Files.writeString(folder.resolve("b.jsonl"), lines(1000, 100));

        for (List<String> sources : List.of(List.of(a.toString(), b.toString()), List.of(a + "=0.7", b + "=0.3"))) {
            List<Integer> all = part(sources, HeldOutSplit.ALL);
            List<Integer> trained = part(sources, new HeldOutSplit(0.1, HeldOutSplit.Side.TRAINED));
            List<Integer> heldOut = part(sources, new HeldOutSplit(0.1, HeldOutSplit.Side.HELD_OUT));

            assertThat(heldOut).hasSize(all.size() / 10);
            assertThat(trained).hasSize(all.size() - heldOut.size()).doesNotContainAnyElementsOf(heldOut);
            assertThat(all).containsAll(heldOut).containsAll(trained);
        }
    }

    private List<Integer> part(List<String> sources, HeldOutSplit part) {
        return part(sources, ONE_A_ROW.of(part));
    }

    private List<Integer> part(List<String> sources, PreparationOptions options) {
        return Clusters.on(Clusters.TWO_SLOTS, context -> prepare(context, "part", options, sources));
    }

    @Test
    void textIsARecordALine() throws IOException {
        Files.writeString(folder.resolve("a.txt"), "1 2\n\n3 4\n");

        List<FirstRecord> firsts = Clusters.on(
                Clusters.ONE_SLOT, context -> new DataPreparation(context, null).firsts(List.of(folder.toString())));

        assertThat(firsts).containsExactly(new FirstRecord("lines of text", "{\"text\":\"1 2\"}"));
    }

    @Test
    void badRecordsAreNamedByTheirPlaceInTheFile() throws IOException {
        Path list = Files.writeString(folder.resolve("a.json"), "[" + line(0) + ", {\"input_ids\": 1}]");
        Path csv = Files.writeString(
                folder.resolve("b.csv"), "input_ids,labels\n\n\"[4,\n 1]\",\"[4, 1]\"\n\nx,\"[4, 1]\"\n");
        Path broken = Files.writeString(folder.resolve("c.json"), "[" + line(0) + ",\n oops]");

        assertThatThrownBy(() -> prepare(list.toString()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("Cannot prepare file:%s:2: Cannot read field input_ids".formatted(list));
        assertThatThrownBy(() -> prepare(csv.toString()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("Cannot prepare %s:6: Cannot read field input_ids".formatted(csv));
        assertThatThrownBy(() -> prepare(broken.toString()))
                .hasMessageContaining(
                        "Cannot read file:%s: expected a JSON list, found an error at line 2: Unrecognized token 'oops'"
                                .formatted(broken));
    }

    @Test
    void whatIsNeitherFileNorTableIsRefused() {
        assertThatThrownBy(() -> prepare("nowhere.conversations"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Cannot read data from nowhere.conversations: expected a file, a folder, or a table of the"
                        + " catalog, found none of them");
    }

    @Test
    void anEmptyCellOfASpreadsheetIsSaidToBeEmpty() throws IOException {
        Path csv = Files.writeString(folder.resolve("a.csv"), "prompt,completion\nWhy?,\n");

        assertThatThrownBy(() -> prepare(csv.toString()))
                .hasMessage(
                        "Cannot prepare %s:2: Cannot read field completion: expected a text, found an empty value (null)"
                                .formatted(csv));
    }

    @Test
    void weightsThatAreNoPartsOfOneAreExplained() throws IOException {
        Path a = Files.writeString(folder.resolve("a.jsonl"), lines(0, 7));

        assertThatThrownBy(() -> prepare(a + "=7", a + "=3"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "Cannot read data from %s=7: expected at least one file, found none. If 7 is a weight: weights are below 1 and add up to 1, such as %s=0.7"
                                .formatted(a, a));
    }

    @Test
    void rowsOfWeightedSourcesAreSpreadByTheRatio() throws IOException {
        Path a = Files.writeString(folder.resolve("a.jsonl"), lines(0, 700));
        Path b = Files.writeString(folder.resolve("b.jsonl"), lines(1000, 300));

        List<Integer> single = prepare(a + "=0.7", b + "=0.3");
        List<Integer> packed =
                part(List.of(a + "=0.7", b + "=0.3"), new PreparationOptions(4, Packing.PACKED, OnBadRecord.FAIL));

        for (List<Integer> ids : List.of(single, packed)) {
            for (int from = 0; from + 10 <= ids.size(); from += 10) {
                assertThat(ids.subList(from, from + 10))
                        .filteredOn(id -> id >= 1000)
                        .hasSize(3);
            }
        }

        assertThat(single).filteredOn(id -> id < 1000).isSorted().hasSize(700);
    }

    @Test
    void wordsAboutDataBesideItAreNoData() throws IOException {
        Files.writeString(folder.resolve("README.md"), "# Data");
        Files.writeString(folder.resolve("LICENSE"), "Free.");
        Files.writeString(folder.resolve("dataset_infos.json"), "{}");
        Path data = Files.writeString(folder.resolve("a.jsonl"), line(1));

        assertThat(prepare(folder.toString())).containsExactly(1);
        assertThat(prepare(Files.move(data, folder.resolve("b.md")).toString())).containsExactly(1);
    }

    /** A retry would not find it either. */
    @Test
    void aColonInTheNameOfAFileIsRefused() throws IOException {
        Path data = Files.writeString(folder.resolve("08:00.jsonl"), line(1));

        for (String source : List.of(data.toString(), folder.resolve("*.jsonl").toString(), folder.toString())) {
            assertThatThrownBy(() -> prepare(source))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageContaining("Cannot open ")
                    .hasMessageEndingWith(
                            ": expected names without a colon, which no path of Hadoop's has, found 08:00.jsonl. Rename it");
        }
    }

    @Test
    void weightsAreForAllSourcesOrNone() {
        assertThatThrownBy(() -> prepare("a=0.5", "b"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "Cannot mix data: expected a weight between 0 and 1 for each source, such as b=0.3, found none");
        assertThat(WeightedSource.parse(List.of("day=20240101")))
                .containsExactly(new WeightedSource("day=20240101", 0));
    }

    private List<Integer> prepareTable(JavaSparkContext context, int parts) {
        table(context).repartition(parts).createOrReplaceTempView("numbers");
        return prepare(context, "table" + parts, "numbers");
    }

    private List<Integer> prepare(String... sources) {
        return Clusters.on(Clusters.TWO_SLOTS, context -> prepare(context, "prepared", sources));
    }

    /** The first id of each row. */
    private List<Integer> prepare(JavaSparkContext context, String name, String... sources) {
        return prepare(context, name, ONE_A_ROW, Arrays.asList(sources));
    }

    private List<Integer> prepare(
            JavaSparkContext context, String name, PreparationOptions options, List<String> sources) {
        RecordReading reading = new RecordReading(RecordFormat.AUTO, Columns.OWN);
        PreparedData data = new DataPreparation(context, null)
                .prepare(
                        sources,
                        RecordEncoders.ofTokens(reading),
                        options,
                        folder.resolve("out-" + name).toString());
        List<Integer> ids = new ArrayList<>();
        try (PreparedRows rows = data.reader(new Configuration())) {
            for (long i = 0; i < rows.rows(); i++) {
                TokenRow row = rows.read(i);
                ids.add(row.ids()[0]);
            }
        }

        return ids;
    }

    private static void write(JavaSparkContext context, String format, Path source) {
        Dataset<Row> rows = table(context).coalesce(1);
        rows.write().option("maxRecordsPerFile", 300).format(format).save(source.toString());
    }

    private static Dataset<Row> table(JavaSparkContext context) {
        SparkSession session = SparkSession.builder().sparkContext(context.sc()).getOrCreate();
        List<String> lines =
                IntStream.range(0, RECORDS).mapToObj(DataSourcesTest::line).toList();
        return session.read()
                .schema("input_ids array<int>, labels array<int>")
                .json(session.createDataset(lines, Encoders.STRING()));
    }

    private static String lines(int from, int count) {
        return IntStream.range(from, from + count)
                .mapToObj(DataSourcesTest::line)
                .collect(Collectors.joining("\n", "", "\n"));
    }

    private static String line(int id) {
        return "{\"input_ids\": [%d, 1], \"labels\": [%d, 1]}".formatted(id, id);
    }
}
