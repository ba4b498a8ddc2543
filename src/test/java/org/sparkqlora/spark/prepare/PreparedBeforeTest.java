package org.sparkqlora.spark.prepare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.spark.job.Clusters;
import org.sparkqlora.storage.Sha256;

/** Rows that an earlier preparation made, whole or in part. */
class PreparedBeforeTest {
    @TempDir
    private Path temporary;

    private PreparationRuns runs;

    @BeforeEach
    void makeFolders() throws IOException {
        runs = PreparationRuns.in(temporary);
    }

    @Test
    void unchangedPreparationIsReusedAndAChangedOneRedone() throws IOException {
        runs.writeLines("a.jsonl", PreparationRuns.lines(10, 1));
        PreparedData first = runs.prepare(PreparationRuns.PACKED);
        Object written = Files.getLastModifiedTime(runs.rowFile(first));

        assertThat(runs.prepare(PreparationRuns.PACKED)).isEqualTo(first);
        assertThat(Files.getLastModifiedTime(runs.rowFile(first))).isEqualTo(written);

        runs.writeLines("a.jsonl", PreparationRuns.lines(11, 1));
        PreparedData second = runs.prepare(PreparationRuns.PACKED);
        assertThat(second.manifest().fingerprint())
                .isNotEqualTo(first.manifest().fingerprint());
        assertThat(runs.rowFile(first)).doesNotExist();
        assertThat(PreparationRuns.documents(second)).hasSize(11);
    }

    @Test
    void preparationThatLostAFileIsRedone() throws IOException {
        runs.writeLines("a.jsonl", PreparationRuns.lines(10, 1));
        PreparedData first = runs.prepare(PreparationRuns.PACKED);
        Files.delete(runs.rowFile(first));

        assertThat(PreparationRuns.documents(runs.prepare(PreparationRuns.PACKED)))
                .hasSize(10);
    }

    @Test
    void rowsWithAFlippedBitAreMadeAnew() throws IOException {
        runs.writeLines("a.jsonl", PreparationRuns.lines(300, 1));
        PreparedData first = runs.prepare(PreparationRuns.PACKED);
        List<String> documents = PreparationRuns.documents(first);
        flipABit(runs.rowFile(first));

        assertThat(PreparationRuns.documents(runs.prepare(PreparationRuns.PACKED)))
                .isEqualTo(documents);
    }

    @Test
    void rowsWithAFlippedBitThatWereMadeElsewhereAreRefused() throws IOException {
        runs.writeLines("a.jsonl", PreparationRuns.lines(300, 1));
        PreparedData data = runs.prepare(PreparationRuns.PACKED);
        flipABit(runs.rowFile(data));

        assertThatThrownBy(() -> Clusters.on(Clusters.ONE_SLOT, context -> {
                    data.requireUsable(TokenIds.UNKNOWN, context);
                    return data;
                }))
                .isInstanceOf(BadInputException.class)
                .hasMessage(
                        "Cannot use the prepared rows in %s: expected the bytes that were written, found others or none in %s. Delete the folder and prepare the data again"
                                .formatted(
                                        runs.target(),
                                        data.manifest().files().get(0).name()));
    }

    @Test
    void aFinishedGroupWithAFlippedBitIsDoneAgain() throws IOException {
        List<String> lines = PreparationRuns.lines(700, 1);
        runs.writeLines("a.jsonl", lines);
        TreeMap<String, byte[]> whole = runs.prepareOn(Clusters.ONE_SLOT, "whole");
        assertThatThrownBy(() -> prepareWithout(lines.get(650))).hasMessageContaining("died at " + lines.get(650));
        String first = whole.firstEntry().getKey().equals(Manifest.FILE_NAME)
                ? whole.higherKey(Manifest.FILE_NAME)
                : whole.firstKey();
        flipABit(runs.target().resolve(first));

        prepareWithout("none");

        assertThat(runs.target().resolve(first)).hasBinaryContent(whole.get(first));
    }

    @Test
    void aManifestThatNamesFilesElsewhereIsRefused() throws IOException {
        runs.writeLines("a.jsonl", PreparationRuns.lines(10, 1));
        PreparedData data = runs.prepare(PreparationRuns.PACKED);
        String name = data.manifest().files().get(0).name();
        Path manifest = runs.target().resolve(Manifest.FILE_NAME);
        String text = Files.readString(manifest);
        Files.delete(runs.target().resolve(".manifest.json.crc"));

        for (String other : List.of("../" + name, "a/" + name, "file:" + name, "..", "")) {
            Files.writeString(manifest, text.replace(name, other));

            assertThatThrownBy(() -> PreparedData.find(runs.target().toString(), new Configuration()))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageContaining("expected a plain name, found '%s'".formatted(other));
        }
    }

    @Test
    void rowsOfAnotherTokenizerOrALargerVocabularyAreRefused() throws IOException {
        runs.writeLines("a.jsonl", PreparationRuns.lines(10, 1));
        PreparedData data = runs.prepare(PreparationRuns.PACKED);
        Manifest manifest = data.manifest();
        PreparedData rows = new PreparedData(
                data.folder(),
                new Manifest(
                        manifest.fingerprint(),
                        PreparationRuns.WIDTH,
                        manifest.files(),
                        manifest.counts(),
                        new TokenIds("aa", 100)));

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
                        PreparationRuns.WIDTH,
                        List.of(new PreparedFile("rows-f-00000.bin", 3, "aa")),
                        new PreparationCounts(3, 3, 9, 6, 0, 0, 0),
                        TokenIds.UNKNOWN));
    }

    @Test
    void whatAKilledPreparationFinishedIsNotDoneAgain() throws IOException {
        List<String> lines = PreparationRuns.lines(700, 1);
        runs.writeLines("a.jsonl", lines);
        TreeMap<String, byte[]> whole = runs.prepareOn(Clusters.ONE_SLOT, "whole");

        // Three groups: the third dies, and then the first two must not be asked for again.
        assertThatThrownBy(() -> prepareWithout(lines.get(650))).hasMessageContaining("died at " + lines.get(650));
        PreparedData resumed = prepareWithout(lines.get(0));

        assertThat(resumed.manifest().files()).hasSize(3);
        for (PreparedFile file : resumed.manifest().files()) {
            assertThat(runs.target().resolve(file.name())).hasBinaryContent(whole.get(file.name()));
        }

        assertThat(runs.target().toFile().list((at, name) -> !name.startsWith(".")))
                .hasSize(5); // with manifest.json and report.json
    }

    @Test
    void rowsOfEarlierRulesAreMadeAnew() throws IOException {
        runs.writeLines("a.jsonl", PreparationRuns.lines(10, 1));
        String fingerprint = runs.prepare(PreparationRuns.PACKED).manifest().fingerprint();
        String earlier = pretendEarlierRules(fingerprint);

        PreparedData data = runs.prepare(PreparationRuns.PACKED);

        assertThat(data.manifest().fingerprint()).isEqualTo(fingerprint).isNotEqualTo(earlier);
        assertThat(runs.target().toFile().list((at, name) -> name.startsWith("rows-")))
                .containsExactly(runs.rowFile(data).getFileName().toString());
    }

    @Test
    void aRunOnRowsOfEarlierRulesGoesOnWithThem() throws IOException {
        runs.writeLines("a.jsonl", PreparationRuns.lines(10, 1));
        PreparedData data = runs.prepare(PreparationRuns.PACKED);
        String earlier = pretendEarlierRules(data.manifest().fingerprint());
        Object written = Files.getLastModifiedTime(runs.rowFile(data));

        PreparedData same = goOn(earlier);

        assertThat(same.manifest().fingerprint()).isEqualTo(earlier);
        assertThat(Files.getLastModifiedTime(runs.rowFile(same))).isEqualTo(written);

        Files.delete(runs.rowFile(same));
        assertThatThrownBy(() -> goOn(earlier))
                .isInstanceOf(BadInputException.class)
                .hasMessage(
                        "Cannot go on with the rows in %s: expected those that an earlier version made, found none or damaged ones, and this version may make others of the same data. Restore them, or train in another --output"
                                .formatted(runs.target()));
    }

    private static void flipABit(Path file) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        bytes[bytes.length / 2] ^= 1;
        Files.write(file, bytes);
        Files.deleteIfExists(file.resolveSibling("." + file.getFileName() + ".crc"));
    }

    private PreparedData prepareWithout(String deadly) {
        return Clusters.on(
                Clusters.ONE_SLOT,
                context -> new DataPreparation(context, null)
                        .prepare(
                                List.of(runs.source().toString()),
                                new DeadlyLine("numbers", deadly),
                                PreparationRuns.PACKED,
                                runs.target().toString()));
    }

    private PreparedData goOn(String begun) {
        return Clusters.on(Clusters.ONE_SLOT, context -> {
            DataPreparation preparation = new DataPreparation(context, begun);
            List<String> sources = List.of(runs.source().toString());
            LineEncoderSource encoders = new NumbersEncoder("numbers");
            assertThat(preparation.fingerprint(sources, encoders, PreparationRuns.PACKED))
                    .isEqualTo(begun);
            return preparation.prepare(
                    sources, encoders, PreparationRuns.PACKED, runs.target().toString());
        });
    }

    /** Gives the manifest the fingerprint that the same source had by the second rules. */
    private String pretendEarlierRules(String fingerprint) throws IOException {
        Path data = runs.source().resolve("a.jsonl");
        String text =
                "spark-qlora rows %d\nnumbers\n%s\n0.0\nSourceFile[path=file:%s, length=%d, modified=%d, kind=JSON_LINES, compressed=false]\n";
        List<String> hashes = IntStream.of(2, 3)
                .mapToObj(rules -> text.formatted(
                        rules,
                        PreparationRuns.PACKED.fingerprint(),
                        data,
                        data.toFile().length(),
                        data.toFile().lastModified()))
                .map(rules -> Sha256.hex(rules.getBytes(StandardCharsets.UTF_8)))
                .toList();
        assertThat(hashes.get(1)).as("that of the present rules").isEqualTo(fingerprint);
        Path manifest = runs.target().resolve(Manifest.FILE_NAME);
        Files.writeString(manifest, Files.readString(manifest).replace(fingerprint, hashes.get(0)));
        Files.delete(runs.target().resolve(".manifest.json.crc"));
        return hashes.get(0);
    }
}
