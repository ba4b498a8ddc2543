package org.sparkqlora.spark.prepare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.spark.job.Clusters;
import org.sparkqlora.spark.prepare.PreparationOptions.OnBadRecord;
import org.sparkqlora.spark.prepare.PreparationOptions.Packing;
import org.sparkqlora.storage.Sha256;
import org.sparkqlora.tokenizer.EncodedExample;
import org.sparkqlora.tokenizer.TokenRow;

class DataPreparationTest {
    private static final int WIDTH = 16;
    private static final PreparationOptions PACKED = new PreparationOptions(WIDTH, Packing.PACKED, OnBadRecord.FAIL);

    @TempDir
    private Path folder;

    private Path source;
    private Path target;

    @BeforeEach
    void makeFolders() throws IOException {
        source = Files.createDirectory(folder.resolve("source"));
        target = folder.resolve("prepared");
    }

    @Test
    void clustersOfAnySizeGiveTheSameBytes() throws IOException {
        writeLines("b.jsonl", lines(700, 1));
        writeLines("a.jsonl", lines(50, 2));

        TreeMap<String, byte[]> one = prepareOn(Clusters.ONE_SLOT, "one");
        TreeMap<String, byte[]> two = prepareOn(Clusters.TWO_SLOTS, "two");
        TreeMap<String, byte[]> four = prepareOn("local[4]", "four");

        assertThat(one).hasSize(4);
        assertThat(two).usingRecursiveComparison().isEqualTo(one);
        assertThat(four).usingRecursiveComparison().isEqualTo(one);
    }

    @Test
    void packingLosesNoDocumentAndCountsWhatItMade() throws IOException {
        List<String> lines = lines(600, 3);
        writeLines("a.jsonl", lines);

        PreparedData data = prepare(PACKED);

        assertThat(documents(data)).containsExactlyInAnyOrderElementsOf(lines);
        PreparationCounts counts = data.manifest().counts();
        assertThat(counts.examples()).isEqualTo(600);
        assertThat(counts.rows()).isEqualTo(data.rows()).isLessThan(600);
        assertThat(counts.tokens())
                .isEqualTo(lines.stream()
                        .mapToLong(line -> line.split(" ", -1).length)
                        .sum());
        assertThat(counts.trainedTokens()).isEqualTo(counts.tokens() - 600);
    }

    @Test
    void withoutPackingEveryExampleIsARowInFileOrder() throws IOException {
        List<String> first = lines(300, 4);
        List<String> second = lines(20, 5);
        writeLines("b.jsonl", second);
        writeLines("a.jsonl", first);

        PreparedData data = prepare(new PreparationOptions(WIDTH, Packing.ONE_A_ROW, OnBadRecord.FAIL));

        assertThat(documents(data))
                .containsExactlyElementsOf(
                        Stream.concat(first.stream(), second.stream()).toList());
        assertThat(data.rows()).isEqualTo(320);
    }

    @Test
    void longExamplesAreCutAndUntrainedOnesDroppedAndBothCounted() throws IOException {
        writeLines("a.jsonl", List.of("1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 0 1 2 3", "7", "", "1 2"));

        PreparedData data = prepare(PACKED);

        assertThat(documents(data)).containsExactly("1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 0", "1 2");
        assertThat(data.manifest().counts()).isEqualTo(new PreparationCounts(2, 2, 18, 16, 1, 1, 0));
    }

    @Test
    void badRecordIsNamedWithFileAndLine() throws IOException {
        writeLines("a.jsonl", lines(3, 1));
        writeLines("b.jsonl", List.of("1 2", "", "oops", "worse"));

        assertThatThrownBy(() -> prepare(PACKED))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Cannot prepare %s:3: expected token ids, found oops"
                        .formatted("file:" + source.resolve("b.jsonl")));
        assertThat(target).doesNotExist();
    }

    @Test
    void badRecordsAreSkippedAndCountedOnDemand() throws IOException {
        writeLines("a.jsonl", List.of("1 2", "oops", "3 4", "worse"));

        PreparedData data = prepare(new PreparationOptions(WIDTH, Packing.PACKED, OnBadRecord.SKIP));

        assertThat(documents(data)).containsExactly("1 2", "3 4");
        assertThat(data.manifest().counts().bad()).isEqualTo(2);
    }

    @Test
    void dataWithoutATrainedTokenIsRefused() throws IOException {
        writeLines("a.jsonl", List.of("1", "2"));

        assertThatThrownBy(() -> prepare(PACKED))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "Cannot train on %s: expected an example with a trained token, found none (2 examples without one, 0 bad records)"
                                .formatted(source));
    }

    @Test
    void missingSourceIsRefused() {
        assertThatThrownBy(() -> prepare(folder + "/none/*.jsonl", PACKED))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Cannot read data from %s/none/*.jsonl: expected at least one file, found none"
                        .formatted(folder));
    }

    @Test
    void unchangedPreparationIsReusedAndAChangedOneRedone() throws IOException {
        writeLines("a.jsonl", lines(10, 1));
        PreparedData first = prepare(PACKED);
        Object written = Files.getLastModifiedTime(rowFile(first));

        assertThat(prepare(PACKED)).isEqualTo(first);
        assertThat(Files.getLastModifiedTime(rowFile(first))).isEqualTo(written);

        writeLines("a.jsonl", lines(11, 1));
        PreparedData second = prepare(PACKED);
        assertThat(second.manifest().fingerprint())
                .isNotEqualTo(first.manifest().fingerprint());
        assertThat(rowFile(first)).doesNotExist();
        assertThat(documents(second)).hasSize(11);
    }

    @Test
    void preparationThatLostAFileIsRedone() throws IOException {
        writeLines("a.jsonl", lines(10, 1));
        PreparedData first = prepare(PACKED);
        Files.delete(rowFile(first));

        assertThat(documents(prepare(PACKED))).hasSize(10);
    }

    @Test
    void rowsWithAFlippedBitAreMadeAnew() throws IOException {
        writeLines("a.jsonl", lines(300, 1));
        PreparedData first = prepare(PACKED);
        List<String> documents = documents(first);
        flipABit(rowFile(first));

        assertThat(documents(prepare(PACKED))).isEqualTo(documents);
    }

    @Test
    void rowsWithAFlippedBitThatWereMadeElsewhereAreRefused() throws IOException {
        writeLines("a.jsonl", lines(300, 1));
        PreparedData data = prepare(PACKED);
        flipABit(rowFile(data));

        assertThatThrownBy(() -> Clusters.on(Clusters.ONE_SLOT, context -> {
                    data.requireUsable(TokenIds.UNKNOWN, context);
                    return data;
                }))
                .isInstanceOf(BadInputException.class)
                .hasMessage(
                        "Cannot use the prepared rows in %s: expected the bytes that were written, found others or none in %s. Delete the folder and prepare the data again"
                                .formatted(
                                        target, data.manifest().files().get(0).name()));
    }

    @Test
    void aFinishedGroupWithAFlippedBitIsDoneAgain() throws IOException {
        List<String> lines = lines(700, 1);
        writeLines("a.jsonl", lines);
        TreeMap<String, byte[]> whole = prepareOn(Clusters.ONE_SLOT, "whole");
        assertThatThrownBy(() -> prepareWithout(lines.get(650))).hasMessageContaining("died at " + lines.get(650));
        String first = whole.firstEntry().getKey().equals(Manifest.FILE_NAME)
                ? whole.higherKey(Manifest.FILE_NAME)
                : whole.firstKey();
        flipABit(target.resolve(first));

        prepareWithout("none");

        assertThat(target.resolve(first)).hasBinaryContent(whole.get(first));
    }

    @Test
    void aManifestThatNamesFilesElsewhereIsRefused() throws IOException {
        writeLines("a.jsonl", lines(10, 1));
        PreparedData data = prepare(PACKED);
        String name = data.manifest().files().get(0).name();
        Path manifest = target.resolve(Manifest.FILE_NAME);
        String text = Files.readString(manifest);
        Files.delete(target.resolve(".manifest.json.crc"));

        for (String other : List.of("../" + name, "a/" + name, "file:" + name, "..", "")) {
            Files.writeString(manifest, text.replace(name, other));

            assertThatThrownBy(() -> PreparedData.find(target.toString(), new Configuration()))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageContaining("expected a plain name, found '%s'".formatted(other));
        }
    }

    @Test
    void rowsOfAnotherTokenizerOrALargerVocabularyAreRefused() throws IOException {
        writeLines("a.jsonl", lines(10, 1));
        PreparedData data = prepare(PACKED);
        Manifest manifest = data.manifest();
        PreparedData rows = new PreparedData(
                data.folder(),
                new Manifest(
                        manifest.fingerprint(), WIDTH, manifest.files(), manifest.counts(), new TokenIds("aa", 100)));

        assertThatThrownBy(() -> rows.fingerprintFor(new TokenIds("bb", 100)))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining(
                        "expected token ids of this model's tokenizer (SHA-256 of tokenizer.json bb), found those of another (aa)");
        assertThatThrownBy(() -> rows.fingerprintFor(new TokenIds("aa", 99)))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("expected token ids for an embedding of 99 rows, found some for 100");
        assertThat(rows.fingerprintFor(new TokenIds("aa", 100))).isEqualTo(manifest.fingerprint());
        assertThat(data.fingerprintFor(new TokenIds("bb", 1))).isEqualTo(manifest.fingerprint());
    }

    @Test
    void aManifestOfAnEarlierVersionIsRead() {
        Manifest manifest = ManifestJson.read("""
                {"format_version": 1, "fingerprint": "f", "width": 16,
                 "files": [{"name": "rows-f-00000.bin", "rows": 3, "sha256": "aa"}],
                 "counts": {"examples": 3, "rows": 3, "tokens": 9, "trained_tokens": 6, "truncated": 0, "untrained": 0, "bad": 0}}
                """);

        assertThat(manifest)
                .isEqualTo(new Manifest(
                        "f",
                        WIDTH,
                        List.of(new PreparedFile("rows-f-00000.bin", 3, "aa")),
                        new PreparationCounts(3, 3, 9, 6, 0, 0, 0),
                        TokenIds.UNKNOWN));
    }

    private static void flipABit(Path file) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        bytes[bytes.length / 2] ^= 1;
        Files.write(file, bytes);
        Files.deleteIfExists(file.resolveSibling("." + file.getFileName() + ".crc"));
    }

    @Test
    void whatAKilledPreparationFinishedIsNotDoneAgain() throws IOException {
        List<String> lines = lines(700, 1);
        writeLines("a.jsonl", lines);
        TreeMap<String, byte[]> whole = prepareOn(Clusters.ONE_SLOT, "whole");

        // Three groups: the third dies, and then the first two must not be asked for again.
        assertThatThrownBy(() -> prepareWithout(lines.get(650))).hasMessageContaining("died at " + lines.get(650));
        PreparedData resumed = prepareWithout(lines.get(0));

        assertThat(resumed.manifest().files()).hasSize(3);
        for (PreparedFile file : resumed.manifest().files()) {
            assertThat(target.resolve(file.name())).hasBinaryContent(whole.get(file.name()));
        }

        assertThat(target.toFile().list((at, name) -> !name.startsWith(".")))
                .hasSize(5); // with manifest.json and report.json
    }

    private PreparedData prepareWithout(String deadly) {
        return Clusters.on(
                Clusters.ONE_SLOT,
                context -> new DataPreparation(context)
                        .prepare(
                                List.of(source.toString()),
                                new DeadlyLine("numbers", deadly),
                                PACKED,
                                target.toString()));
    }

    /** Dies at one line, as a process might. */
    private record DeadlyLine(String fingerprint, String deadly) implements LineEncoderSource {
        @Override
        public LineEncoder open() {
            LineEncoder numbers = new NumbersEncoder(fingerprint).open();
            return new LineEncoder() {
                @Override
                public EncodedExample encode(String line) {
                    if (line.equals(deadly)) {
                        throw new IllegalStateException("died at " + line);
                    }

                    return numbers.encode(line);
                }

                @Override
                public void close() {
                    numbers.close();
                }
            };
        }
    }

    @Test
    void aDayThatChangesChangesNoRow() throws IOException {
        writeLines("a.jsonl", lines(700, 6));
        LocalDate first = LocalDate.of(2026, 2, 28);
        LocalDate next = LocalDate.of(2026, 3, 1);
        PreparedData whole = prepareDated(new Dated("numbers", first, ""), "whole", null);
        assertThat(whole.manifest().fingerprint()).endsWith(" on 2026-02-28");

        String deadly = Files.readAllLines(source.resolve("a.jsonl")).get(600);
        assertThatThrownBy(() -> prepareDated(new Dated("numbers", first, deadly), "killed", null))
                .hasMessageContaining("died at " + deadly);
        PreparedData resumed = prepareDated(new Dated("numbers", next, ""), "killed", null);
        assertThat(resumed.manifest()).isEqualTo(whole.manifest());
        for (PreparedFile file : whole.manifest().files()) {
            assertThat(folder.resolve("killed").resolve(file.name()))
                    .hasBinaryContent(read(folder.resolve("whole").resolve(file.name())));
        }

        assertThat(prepareDated(new Dated("numbers", next, ""), "whole", null).manifest())
                .isEqualTo(whole.manifest());
        PreparedData onAnotherDay = prepareDated(new Dated("numbers", next, ""), "fresh", null);
        assertThat(onAnotherDay.manifest().fingerprint()).endsWith(" on 2026-03-01");
        assertThat(onAnotherDay.manifest().files())
                .isNotEqualTo(whole.manifest().files());
        String begun = whole.manifest().fingerprint();
        assertThat(prepareDated(new Dated("numbers", next, ""), "run", begun).manifest())
                .isEqualTo(whole.manifest());
    }

    @Test
    void rowsOfATemplateWithoutADateAreKnownAsEver() throws IOException {
        writeLines("a.jsonl", List.of("1 2"));

        assertThat(prepare(PACKED).manifest().fingerprint()).matches("[0-9a-f]{64}");
    }

    private PreparedData prepareDated(Dated encoders, String name, @Nullable String begun) {
        return Clusters.on(
                Clusters.ONE_SLOT,
                context -> new DataPreparation(context, begun, encoders::day)
                        .prepare(
                                List.of(source.toString()),
                                encoders,
                                PACKED,
                                folder.resolve(name).toString()));
    }

    /** Puts the month before each line, as a template might; dies at one line, as a process might. */
    private record Dated(String fingerprint, LocalDate day, String deadly) implements LineEncoderSource {
        @Override
        public boolean asksForTheDay() {
            return true;
        }

        @Override
        public LineEncoderSource on(LocalDate other) {
            return new Dated(fingerprint, other, deadly);
        }

        @Override
        public LineEncoder open() {
            LineEncoder numbers = new DeadlyLine(fingerprint, deadly).open();
            return new LineEncoder() {
                @Override
                public EncodedExample encode(String line) {
                    numbers.encode(line);
                    return new NumbersEncoder(fingerprint).open().encode(day.getMonthValue() + " " + line);
                }

                @Override
                public void close() {
                    numbers.close();
                }
            };
        }
    }

    @Test
    void rowsOfEarlierRulesAreMadeAnew() throws IOException {
        writeLines("a.jsonl", lines(10, 1));
        String fingerprint = prepare(PACKED).manifest().fingerprint();
        String earlier = pretendEarlierRules(fingerprint);

        PreparedData data = prepare(PACKED);

        assertThat(data.manifest().fingerprint()).isEqualTo(fingerprint).isNotEqualTo(earlier);
        assertThat(target.toFile().list((at, name) -> name.startsWith("rows-")))
                .containsExactly(rowFile(data).getFileName().toString());
    }

    @Test
    void aRunOnRowsOfEarlierRulesGoesOnWithThem() throws IOException {
        writeLines("a.jsonl", lines(10, 1));
        PreparedData data = prepare(PACKED);
        String earlier = pretendEarlierRules(data.manifest().fingerprint());
        Object written = Files.getLastModifiedTime(rowFile(data));

        PreparedData same = goOn(earlier);

        assertThat(same.manifest().fingerprint()).isEqualTo(earlier);
        assertThat(Files.getLastModifiedTime(rowFile(same))).isEqualTo(written);

        Files.delete(rowFile(same));
        assertThatThrownBy(() -> goOn(earlier))
                .isInstanceOf(BadInputException.class)
                .hasMessage(
                        "Cannot go on with the rows in %s: expected those that an earlier version made, found none or damaged ones, and this version may make others of the same data. Restore them, or train in another --output"
                                .formatted(target));
    }

    private PreparedData goOn(String begun) {
        return Clusters.on(Clusters.ONE_SLOT, context -> {
            DataPreparation preparation = new DataPreparation(context, begun);
            List<String> sources = List.of(source.toString());
            LineEncoderSource encoders = new NumbersEncoder("numbers");
            assertThat(preparation.fingerprint(sources, encoders, PACKED)).isEqualTo(begun);
            return preparation.prepare(sources, encoders, PACKED, target.toString());
        });
    }

    /** Gives the manifest the fingerprint that the same source had by the second rules. */
    private String pretendEarlierRules(String fingerprint) throws IOException {
        Path data = source.resolve("a.jsonl");
        String text =
                "spark-qlora rows %d\nnumbers\n%s\n0.0\nSourceFile[path=file:%s, length=%d, modified=%d, kind=JSON_LINES, compressed=false]\n";
        List<String> hashes = IntStream.of(2, 3)
                .mapToObj(rules -> text.formatted(
                        rules,
                        PACKED.fingerprint(),
                        data,
                        data.toFile().length(),
                        data.toFile().lastModified()))
                .map(rules -> Sha256.hex(rules.getBytes(StandardCharsets.UTF_8)))
                .toList();
        assertThat(hashes.get(1)).as("that of the present rules").isEqualTo(fingerprint);
        Path manifest = target.resolve(Manifest.FILE_NAME);
        Files.writeString(manifest, Files.readString(manifest).replace(fingerprint, hashes.get(0)));
        Files.delete(target.resolve(".manifest.json.crc"));
        return hashes.get(0);
    }

    @Test
    void timesAreWrittenInTheZoneOfTheBeginning() {
        List<String> zones = new ArrayList<>();
        Clusters.on(Clusters.ONE_SLOT, context -> {
            SparkSession session =
                    SparkSession.builder().sparkContext(context.sc()).getOrCreate();
            session.range(1)
                    .selectExpr("timestamp_seconds(id) as text")
                    .write()
                    .parquet(source.resolve("t.parquet").toString());
            for (String zone : List.of("UTC", "Asia/Tokyo")) {
                session.conf().set("spark.sql.session.timeZone", zone);
                zones.add(prepareTimes(context, zone, null));
            }

            session.conf().set("spark.sql.session.timeZone", "UTC");
            zones.add(prepareTimes(context, "resumed", zones.get(1)));
            return null;
        });

        assertThat(zones.get(0)).matches("[0-9a-f]{64}");
        assertThat(zones.get(1)).endsWith(" in Asia/Tokyo").isEqualTo(zones.get(2));
        assertThat(rows("UTC")).isNotEqualTo(rows("Asia/Tokyo"));
        assertThat(rows("resumed")).isEqualTo(rows("Asia/Tokyo"));
    }

    private String prepareTimes(JavaSparkContext context, String name, @Nullable String begun) {
        return new DataPreparation(context, begun)
                .prepare(
                        List.of(source.toString()),
                        new CodePoints(),
                        new PreparationOptions(128, Packing.ONE_A_ROW, OnBadRecord.FAIL),
                        folder.resolve(name).toString())
                .manifest()
                .fingerprint();
    }

    private List<String> rows(String name) {
        return documents(PreparedData.open(folder.resolve(name).toString(), new Configuration()));
    }

    /** A token a char. */
    private record CodePoints() implements LineEncoderSource {
        @Override
        public String fingerprint() {
            return "code points";
        }

        @Override
        public LineEncoder open() {
            return new LineEncoder() {
                @Override
                public EncodedExample encode(String line) {
                    boolean[] trained = new boolean[line.length()];
                    Arrays.fill(trained, true);
                    return new EncodedExample(line.chars().toArray(), trained);
                }

                @Override
                public void close() {}
            };
        }
    }

    @Test
    void compressedFilesAndHiddenOnesAreReadAsTheyShould() throws IOException {
        try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(source.resolve("a.jsonl.gz")))) {
            out.write("1 2\n3 4\n".getBytes(StandardCharsets.UTF_8));
        }

        writeLines("_SUCCESS", List.of("oops"));
        writeLines("b.jsonl", List.of("5 6"));

        assertThat(documents(prepare(new PreparationOptions(WIDTH, Packing.ONE_A_ROW, OnBadRecord.FAIL))))
                .containsExactly("1 2", "3 4", "5 6");
    }

    /** More tokens than a task holds in memory. */
    @Test
    void aGroupOfLongDocumentsIsPreparedAsAnyOther() throws IOException {
        int length = 1 << 18;
        List<String> lines = IntStream.range(0, 20)
                .mapToObj(document -> "%d 7".formatted(document) + " 8".repeat(length - 2 - document))
                .toList();
        assertThat(20L * (length - 20)).isGreaterThan(GroupExamples.MOST_TOKENS);
        writeLines("a.jsonl", lines);

        assertThat(documents(prepare(new PreparationOptions(length, Packing.PACKED, OnBadRecord.FAIL))))
                .isEqualTo(lines); // the longest first
    }

    @Test
    void rowBehindTheLastIsRefused() throws IOException {
        writeLines("a.jsonl", List.of("1 2"));
        try (PreparedRows rows = prepare(PACKED).reader(new Configuration())) {
            assertThatThrownBy(() -> rows.read(1))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("Cannot read row 1 of %s: it has 1 rows".formatted(target));
        }
    }

    private PreparedData prepare(PreparationOptions options) {
        return prepare(source.toString(), options);
    }

    private PreparedData prepare(String from, PreparationOptions options) {
        return Clusters.on(Clusters.TWO_SLOTS, context -> prepare(context, from, options, target));
    }

    private TreeMap<String, byte[]> prepareOn(String master, String name) {
        Path into = folder.resolve(name);
        PreparedData data = Clusters.on(master, context -> prepare(context, source.toString(), PACKED, into));
        TreeMap<String, byte[]> bytes = new TreeMap<>();
        bytes.put(Manifest.FILE_NAME, read(into.resolve(Manifest.FILE_NAME)));
        for (PreparedFile file : data.manifest().files()) {
            bytes.put(file.name(), read(into.resolve(file.name())));
        }

        return bytes;
    }

    private static PreparedData prepare(JavaSparkContext context, String from, PreparationOptions options, Path into) {
        return new DataPreparation(context)
                .prepare(List.of(from), new NumbersEncoder("numbers"), options, into.toString());
    }

    private static List<String> documents(PreparedData data) {
        List<String> documents = new ArrayList<>();
        try (PreparedRows rows = data.reader(new Configuration())) {
            for (long i = 0; i < rows.rows(); i++) {
                TokenRow row = rows.read(i);
                row.documents()
                        .forEach(range -> documents.add(Arrays.stream(row.ids(), range.from(), range.to())
                                .mapToObj(String::valueOf)
                                .collect(Collectors.joining(" "))));
            }
        }

        return documents;
    }

    private static List<String> lines(int count, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        List<String> lines = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            lines.add(random.ints(random.nextInt(2, WIDTH + 1), 0, 16)
                    .mapToObj(String::valueOf)
                    .collect(Collectors.joining(" ")));
        }

        return lines;
    }

    private void writeLines(String name, List<String> lines) throws IOException {
        Files.write(source.resolve(name), lines);
    }

    private Path rowFile(PreparedData data) {
        return target.resolve(data.manifest().files().get(0).name());
    }

    private static byte[] read(Path file) {
        try {
            return Files.readAllBytes(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
