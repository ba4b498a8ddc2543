package org.sparkqlora.spark.prepare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import com.github.luben.zstd.ZstdOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import net.jpountz.lz4.LZ4FrameOutputStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.io.compress.CompressionCodec;
import org.apache.hadoop.io.compress.CompressionCodecFactory;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.data.RecordReading;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.spark.job.Clusters;
import org.sparkqlora.spark.prepare.PreparationOptions.OnBadRecord;
import org.sparkqlora.spark.prepare.PreparationOptions.Packing;
import org.xerial.snappy.SnappyFramedOutputStream;

/** Records that are too long, too deep, in another encoding or badly compressed: each is told with its place, none ends a task. */
class HostileRecordsTest {
    private static final int MOST_BYTES = 4096;
    private static final PreparationOptions FAIL = options(OnBadRecord.FAIL);
    private static final PreparationOptions SKIP = options(OnBadRecord.SKIP);

    @TempDir
    private Path folder;

    private static JavaSparkContext context;

    /** One for all: what it registers is another test's matter, and Spark's writers of columns do not. */
    @BeforeAll
    static void startSpark() {
        context = Clusters.start(Clusters.ONE_SLOT, Map.of("spark.kryo.registrationRequired", "false"));
    }

    @AfterAll
    static void stopSpark() {
        context.close();
    }

    @Test
    void bytesThatAreNoUtf8AreABadRecord() throws IOException {
        byte[] latin1 = (line(1) + "\n{\"text\": \"Gr\u00fc\u00dfe\"}\n" + line(3) + "\n")
                .getBytes(StandardCharsets.ISO_8859_1);
        Path file = Files.write(folder.resolve("a.jsonl"), latin1);

        assertThatThrownBy(() -> prepare(FAIL, file))
                .isInstanceOf(BadInputException.class)
                .hasMessage(
                        "Cannot prepare file:%s:2: Cannot read the record: expected UTF-8, found bytes that are none. Is it in another encoding?"
                                .formatted(file));
        assertThat(prepare(SKIP, file)).containsExactly(1, 3);
    }

    @ParameterizedTest
    @ValueSource(strings = {"a.jsonl", "a.jsonl.gz", "a.jsonl.zst", "a.json"})
    void aRecordThatIsTooLongIsBadAndTheNextOneIsRead(String name) throws IOException {
        String longLine = "{\"text\": [" + "\"abcdefgh\",".repeat(20_000) + "\"\"]}";
        List<String> lines = List.of(line(1), longLine, line(3));
        Path file =
                write(name, name.endsWith(".json") ? "[" + String.join(",", lines) + "]" : String.join("\n", lines));

        assertThatThrownBy(() -> prepare(FAIL, file))
                .isInstanceOf(BadInputException.class)
                .hasMessage(
                        "Cannot prepare file:%s:2: Cannot read the record: expected at most %d bytes, found more. --max-record-bytes allows more"
                                .formatted(file, MOST_BYTES));
        assertThat(prepare(SKIP, file)).containsExactly(1, 3);
    }

    @ParameterizedTest
    @ValueSource(ints = {300, 700, 1500, 5000})
    void recordsNestedTooDeepAreBad(int depth) throws IOException {
        String deep =
                "{\"input_ids\": [1, 2], \"labels\": [1, 2], \"x\": " + "[".repeat(depth) + "]".repeat(depth) + "}";
        Path lines = write("a.jsonl", String.join("\n", line(1), deep, line(3)));
        Path list = write("b.json", "[" + String.join(",", line(4), deep, line(6)) + "]");
        PreparationOptions all = SKIP.ofRecordsUpTo(1 << 20);

        assertThat(prepare(all, lines, list)).containsExactly(1, 3, 4, 6);
    }

    @Test
    void brokenListsAreRefusedWhereverTheyBreak() throws IOException {
        for (String end : List.of(", {\"input_ids\": [1, oops", ", {\"input_ids\": [1", ", }]", "")) {
            Path file = write("a.json", "[" + line(1) + end);

            assertThat(refusal(file))
                    .as(end)
                    .startsWith("Cannot read file:%s: expected a JSON list, found".formatted(file));
        }
    }

    @Test
    void everyCompressionThatHasALibraryIsRead() throws IOException {
        Path gzip = write("a.jsonl.gz", line(1));
        Path zstandard = write("b.jsonl.zst", line(2) + "\n" + line(3));
        Path bzip2 = write("c.jsonl.bz2", line(4));
        Path lz4 = write("d.jsonl.lz4", line(5));
        Path snappy = write("e.jsonl.snappy", line(6));
        Path deflate = write("f.jsonl.deflate", line(7));

        assertThat(prepare(FAIL, gzip, zstandard, bzip2, lz4, snappy, deflate)).containsExactly(1, 2, 3, 4, 5, 6, 7);
    }

    @Test
    void filesOfOtherProgramsAreRead() throws IOException {
        byte[] first = (line(1) + "\n").getBytes(StandardCharsets.UTF_8);
        byte[] second = line(2).getBytes(StandardCharsets.UTF_8);
        List<Path> files = new ArrayList<>();
        for (String name : List.of("a.jsonl.gz", "b.jsonl.zst", "c.jsonl.bz2", "d.jsonl.lz4", "e.jsonl.snappy")) {
            Path file = folder.resolve(name);
            files.add(file);
            for (byte[] part : List.of(first, second)) { // as `cat` joins files
                try (OutputStream out = framing(
                        name, Files.newOutputStream(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND))) {
                    out.write(part);
                }
            }
        }

        assertThat(prepare(FAIL, files.toArray(Path[]::new))).containsExactly(1, 2, 1, 2, 1, 2, 1, 2, 1, 2);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "a.jsonl.gz",
                "a.jsonl.zst",
                "a.jsonl.bz2",
                "a.jsonl.lz4",
                "a.jsonl.snappy",
                "a.jsonl.deflate",
                "a.json.gz"
            })
    void whatIsNotCompressedAsItsNameSaysIsRefused(String name) throws IOException {
        Path file = Files.writeString(folder.resolve(name), (line(1) + "\n").repeat(50));

        assertThat(refusal(file))
                .startsWith("Cannot decompress file:%s: expected what the end of its name says".formatted(file));
    }

    /** Hadoop would take the length's memory before it reads. */
    @ParameterizedTest
    @ValueSource(strings = {"a.jsonl.lz4", "a.jsonl.snappy"})
    void aBlockLongerThanAnyIsRefusedWithoutItsMemory(String name) throws IOException {
        byte[] lengths = {0, 0, 1, 0, 0x7f, -1, -1, -1};
        Path file = Files.write(folder.resolve(name), Arrays.copyOf(lengths, 1000));

        assertThat(refusal(file))
                .startsWith("Cannot decompress file:%s".formatted(file))
                .contains("found an error: a block of 2147483647 bytes");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"a.jsonl.gz", "a.jsonl.zst", "a.jsonl.bz2", "a.jsonl.lz4", "a.jsonl.snappy", "a.jsonl.deflate"})
    void aFileThatWasCutOffIsRefused(String name) throws IOException {
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < 16_000; i++) {
            lines.append(line(i * 31 % 15_999)).append('\n');
        }

        Path file = write(name, lines.toString());
        byte[] whole = Files.readAllBytes(file);
        Files.write(file, Arrays.copyOf(whole, whole.length / 2));

        assertThat(refusal(file)).startsWith("Cannot decompress file:" + file);
    }

    @ParameterizedTest
    @ValueSource(strings = {"a.zip", "a.jsonl.xz", "a.tar", "a.tgz", "a.tar.gz"})
    void archivesAreRefused(String name) throws IOException {
        Path file = Files.writeString(folder.resolve(name), line(1));

        assertThatThrownBy(() -> prepare(FAIL, file))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("found an archive or another compression. Unpack it");
    }

    @Test
    void spreadsheetsInZstandardAreRefused() throws IOException {
        Path file = write("a.csv.zst", "input_ids,labels\n\"[4, 1]\",\"[4, 1]\"\n");

        assertThatThrownBy(() -> prepare(FAIL, file))
                .isInstanceOf(BadInputException.class)
                .hasMessage(
                        "Cannot read file:%s: expected CSV as it is or with gzip or bzip2, found Zstandard. Compress it anew"
                                .formatted(file));
    }

    @ParameterizedTest
    @ValueSource(strings = {"a.csv", "a.csv.gz"})
    void spreadsheetsThatAreNoUtf8AreRefusedWithTheLine(String name) throws IOException {
        byte[] sheet =
                sheet("\"[4, 1]\",\"[4, 1]\"", "Gr\u00fc\u00dfe,\"[5, 1]\"").getBytes(StandardCharsets.ISO_8859_1);
        Path file = folder.resolve(name);
        try (OutputStream out = compressing(name, Files.newOutputStream(file))) {
            out.write(sheet);
        }

        assertThatThrownBy(() -> prepare(SKIP, file))
                .isInstanceOf(BadInputException.class)
                .hasMessage(
                        "Cannot read file:%s:3: expected UTF-8, found bytes that are none. Is it in another encoding?",
                        file);
    }

    @ParameterizedTest
    @ValueSource(strings = {"a.csv", "a.tsv", "a.csv.gz"})
    void spreadsheetsWithAQuoteThatNothingEndsAreRefusedWithItsLine(String name) throws IOException {
        String sheet = """
                input_ids|labels|note
                [4]|[4]|"two
                lines ""quoted\"""
                [5]|[5]|5" long
                [6]|[6]|"open|and
                [7]|[7]|last
                """.replace('|', name.endsWith("tsv") ? '\t' : ',');
        Path file = folder.resolve(name);
        try (OutputStream out = compressing(name, Files.newOutputStream(file))) {
            out.write(sheet.getBytes(StandardCharsets.UTF_8));
        }

        assertThatThrownBy(() -> prepare(SKIP, file))
                .isInstanceOf(BadInputException.class)
                .hasMessage(
                        "Cannot read file:%s:5: expected a quote at the end of the cell that begins with one, found the end of the file. A quote within a cell is doubled",
                        file);
    }

    @Test
    void spreadsheetsMayBeginWithAMarkAndAQuotedName() throws IOException {
        Path file = write("a.csv", "\ufeff\"note,\",input_ids,labels\nx,\"[4, 1]\",\"[4, 1]\"\n");

        assertThat(prepare(FAIL, file)).hasSize(1);
    }

    @Test
    void spreadsheetsOfManyBytesAreReadWhereverCharactersAreCut() throws IOException {
        List<String> rows = new ArrayList<>();
        for (int i = 0; i < 3000; i++) {
            rows.add("\"[%d, 1]\",\"[%d, 1]\",%s".formatted(i, i, "\u20ac\ud83d\ude00".repeat(7 + i % 3)));
        }

        Path file = write("a.csv", "input_ids,labels,note\n" + String.join("\n", rows));

        assertThat(prepare(FAIL, file)).hasSize(3000).startsWith(0, 1).endsWith(2999);
    }

    @ParameterizedTest
    @ValueSource(strings = {"\"[5, 1]\"", "\"[5, 1]\",\"[5, 1]\",\"[5, 1]\"", "5,1,5,1"})
    void rowsOfASpreadsheetWithMoreOrFewerCellsAreBadRecords(String row) throws IOException {
        String good = "\"[4,\n 1]\",\"[4, 1]\"";
        Path middle = write("a.csv", sheet(good, row, good));
        Path last = write("b.csv", sheet(good, row).stripTrailing());
        Path first = write("c.csv", sheet(row, good));

        assertThatThrownBy(() -> prepare(FAIL, middle))
                .isInstanceOf(BadInputException.class)
                .hasMessage(
                        "Cannot prepare %s:4: Cannot read the record: expected as many cells as the first line has names, found more or fewer",
                        middle);
        assertThatThrownBy(() -> prepare(FAIL, last)).hasMessageStartingWith("Cannot prepare %s:4: ".formatted(last));
        assertThat(prepare(SKIP, middle, last, first)).containsExactly(4, 4, 4, 4);
    }

    @ParameterizedTest
    @ValueSource(strings = {"parquet", "orc"})
    void aDamagedFileOfColumnsIsNamed(String format) throws IOException {
        Path made = folder.resolve("made");
        writeColumns(format, made);

        Path whole = onlyFile(made, format);
        byte[] bytes = Files.readAllBytes(whole);
        Path good = Files.write(folder.resolve("a." + format), bytes);
        Arrays.fill(bytes, 10, bytes.length / 2, (byte) 0x55);
        Path damaged = Files.write(folder.resolve("b." + format), bytes);

        assertThatThrownBy(() -> prepare(SKIP, good, damaged))
                .isInstanceOf(BadInputException.class)
                .hasMessageStartingWith(
                        "Cannot read file:%s: expected %s, found a damaged file: ",
                        damaged, format.equals("orc") ? "ORC" : "Parquet");
    }

    private static void writeColumns(String format, Path target) {
        SparkSession session = SparkSession.builder().sparkContext(context.sc()).getOrCreate();
        session.range(0, 4000, 1, 1)
                .selectExpr("array(int(id), int(id * 7919 % 4001)) as input_ids", "array(int(id), 1) as labels")
                .write()
                .format(format)
                .save(target.toString());
    }

    private static Path onlyFile(Path made, String format) throws IOException {
        try (Stream<Path> files = Files.list(made)) {
            return files.filter(file -> file.toString().endsWith("." + format))
                    .findFirst()
                    .orElseThrow();
        }
    }

    private static String sheet(String... rows) {
        return "input_ids,labels\n" + String.join("\n", rows) + "\n";
    }

    /** The message of the refusal, which comes wrapped in what Spark says about its job. */
    private String refusal(Path file) {
        Throwable cause = catchThrowable(() -> prepare(FAIL, file));
        while (cause != null && !(cause instanceof BadInputException)) {
            cause = cause.getCause();
        }

        return cause == null ? "not refused" : String.valueOf(cause.getMessage());
    }

    private Path write(String name, String text) throws IOException {
        Path file = folder.resolve(name);
        try (OutputStream out = compressing(name, Files.newOutputStream(file))) {
            out.write(text.getBytes(StandardCharsets.UTF_8));
        }

        return file;
    }

    private static OutputStream framing(String name, OutputStream out) throws IOException {
        if (name.endsWith(".lz4")) {
            return new LZ4FrameOutputStream(out);
        }

        return name.endsWith(".snappy") ? new SnappyFramedOutputStream(out) : compressing(name, out);
    }

    private static OutputStream compressing(String name, OutputStream out) throws IOException {
        if (name.endsWith(".zst")) {
            return new ZstdOutputStream(out);
        }

        CompressionCodec codec =
                new CompressionCodecFactory(new Configuration()).getCodec(new org.apache.hadoop.fs.Path(name));
        return codec == null ? out : codec.createOutputStream(out);
    }

    /** The first id of each row. */
    private List<Integer> prepare(PreparationOptions options, Path... files) {
        PreparedData data = new DataPreparation(context, null)
                .prepare(
                        Arrays.stream(files).map(Path::toString).toList(),
                        RecordEncoders.ofTokens(RecordReading.AUTO),
                        options,
                        folder.resolve("rows").toString());
        List<Integer> ids = new ArrayList<>();
        try (PreparedRows rows = data.reader(new Configuration())) {
            for (long i = 0; i < rows.rows(); i++) {
                ids.add(rows.read(i).ids()[0]);
            }
        }

        return ids;
    }

    private static PreparationOptions options(OnBadRecord onBadRecord) {
        return new PreparationOptions(4, Packing.ONE_A_ROW, onBadRecord).ofRecordsUpTo(MOST_BYTES);
    }

    private static String line(int id) {
        return "{\"input_ids\": [%d, 1], \"labels\": [%d, 1]}".formatted(id, id);
    }
}
