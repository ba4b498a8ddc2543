package org.sparkqlora.spark.prepare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.spark.job.Clusters;
import org.sparkqlora.spark.prepare.PreparationOptions.OnBadRecord;
import org.sparkqlora.spark.prepare.PreparationOptions.Packing;

class DataPreparationTest {
    @TempDir
    private Path temporary;

    private PreparationRuns runs;

    @BeforeEach
    void makeFolders() throws IOException {
        runs = PreparationRuns.in(temporary);
    }

    @Test
    void clustersOfAnySizeGiveTheSameBytes() throws IOException {
        runs.writeLines("b.jsonl", PreparationRuns.lines(700, 1));
        runs.writeLines("a.jsonl", PreparationRuns.lines(50, 2));

        TreeMap<String, byte[]> one = runs.prepareOn(Clusters.ONE_SLOT, "one");
        TreeMap<String, byte[]> two = runs.prepareOn(Clusters.TWO_SLOTS, "two");
        TreeMap<String, byte[]> four = runs.prepareOn("local[4]", "four");

        assertThat(one).hasSize(4);
        assertThat(two).usingRecursiveComparison().isEqualTo(one);
        assertThat(four).usingRecursiveComparison().isEqualTo(one);
    }

    @Test
    void packingLosesNoDocumentAndCountsWhatItMade() throws IOException {
        List<String> lines = PreparationRuns.lines(600, 3);
        runs.writeLines("a.jsonl", lines);

        PreparedData data = runs.prepare(PreparationRuns.PACKED);

        assertThat(PreparationRuns.documents(data)).containsExactlyInAnyOrderElementsOf(lines);
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
        List<String> first = PreparationRuns.lines(300, 4);
        List<String> second = PreparationRuns.lines(20, 5);
        runs.writeLines("b.jsonl", second);
        runs.writeLines("a.jsonl", first);

        PreparedData data =
                runs.prepare(new PreparationOptions(PreparationRuns.WIDTH, Packing.ONE_A_ROW, OnBadRecord.FAIL));

        assertThat(PreparationRuns.documents(data))
                .containsExactlyElementsOf(
                        Stream.concat(first.stream(), second.stream()).toList());
        assertThat(data.rows()).isEqualTo(320);
    }

    @Test
    void longExamplesAreCutAndUntrainedOnesDroppedAndBothCounted() throws IOException {
        runs.writeLines("a.jsonl", List.of("1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 0 1 2 3", "7", "", "1 2"));

        PreparedData data = runs.prepare(PreparationRuns.PACKED);

        assertThat(PreparationRuns.documents(data)).containsExactly("1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 0", "1 2");
        assertThat(data.manifest().counts()).isEqualTo(new PreparationCounts(2, 2, 18, 16, 1, 1, 0));
    }

    @Test
    void badRecordIsNamedWithFileAndLine() throws IOException {
        runs.writeLines("a.jsonl", PreparationRuns.lines(3, 1));
        runs.writeLines("b.jsonl", List.of("1 2", "", "oops", "worse"));

        assertThatThrownBy(() -> runs.prepare(PreparationRuns.PACKED))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Cannot prepare %s:3: expected token ids, found oops"
                        .formatted("file:" + runs.source().resolve("b.jsonl")));
        assertThat(runs.target()).doesNotExist();
    }

    @Test
    void badRecordsAreSkippedAndCountedOnDemand() throws IOException {
        runs.writeLines("a.jsonl", List.of("1 2", "oops", "3 4", "worse"));

        PreparedData data =
                runs.prepare(new PreparationOptions(PreparationRuns.WIDTH, Packing.PACKED, OnBadRecord.SKIP));

        assertThat(PreparationRuns.documents(data)).containsExactly("1 2", "3 4");
        assertThat(data.manifest().counts().bad()).isEqualTo(2);
    }

    @Test
    void dataWithoutATrainedTokenIsRefused() throws IOException {
        runs.writeLines("a.jsonl", List.of("1", "2"));

        assertThatThrownBy(() -> runs.prepare(PreparationRuns.PACKED))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "Cannot train on %s: expected an example with a trained token, found none (2 examples without one, 0 bad records)"
                                .formatted(runs.source()));
    }

    @Test
    void missingSourceIsRefused() {
        assertThatThrownBy(() -> runs.prepare(runs.folder() + "/none/*.jsonl", PreparationRuns.PACKED))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Cannot read data from %s/none/*.jsonl: expected at least one file, found none"
                        .formatted(runs.folder()));
    }

    @Test
    void compressedFilesAndHiddenOnesAreReadAsTheyShould() throws IOException {
        try (OutputStream out =
                new GZIPOutputStream(Files.newOutputStream(runs.source().resolve("a.jsonl.gz")))) {
            out.write("1 2\n3 4\n".getBytes(StandardCharsets.UTF_8));
        }

        runs.writeLines("_SUCCESS", List.of("oops"));
        runs.writeLines("b.jsonl", List.of("5 6"));

        assertThat(PreparationRuns.documents(runs.prepare(
                        new PreparationOptions(PreparationRuns.WIDTH, Packing.ONE_A_ROW, OnBadRecord.FAIL))))
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
        runs.writeLines("a.jsonl", lines);

        assertThat(PreparationRuns.documents(
                        runs.prepare(new PreparationOptions(length, Packing.PACKED, OnBadRecord.FAIL))))
                .isEqualTo(lines); // the longest first
    }

    @Test
    void rowBehindTheLastIsRefused() throws IOException {
        runs.writeLines("a.jsonl", List.of("1 2"));
        try (PreparedRows rows = runs.prepare(PreparationRuns.PACKED).reader(new Configuration())) {
            assertThatThrownBy(() -> rows.read(1))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("Cannot read row 1 of %s: it has 1 rows".formatted(runs.target()));
        }
    }
}
