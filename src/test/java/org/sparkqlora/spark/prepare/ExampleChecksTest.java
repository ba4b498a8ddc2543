package org.sparkqlora.spark.prepare;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.tensor.ScratchFile;

class ExampleChecksTest {
    @TempDir
    private Path folder;

    @Test
    void whatAGroupTellsDoesNotGrowWithCopiesOfAnExample() throws IOException {
        ExampleChecks checks = checks(Collections.nCopies(5000, "1 2 3"));

        assertThat(checks.hashes()).hasSize(1);
        assertThat(checks.repeated()).isEqualTo(4999);
        assertThat(checks.duplicates()).isEqualTo(4999);
    }

    @Test
    void examplesThatSeveralGroupsHoldAreCountedOverAllOfThem() throws IOException {
        ExampleChecks sum = ExampleChecks.sum(
                List.of(checks(List.of("1 2", "3 4", "1 2")), checks(List.of("5 6")), checks(List.of("1 2", "5 6"))));

        assertThat(sum.hashes()).hasSize(5);
        assertThat(sum.repeated()).isEqualTo(1);
        assertThat(sum.duplicates()).isEqualTo(3);
        assertThat(sum.lengths()[1]).isEqualTo(6);
        assertThat(sum.longest()).isEqualTo(2);
    }

    @Test
    void noMoreDuplicatesAreEstimatedThanThereAreExamples() throws IOException {
        Manifest manifest = new Manifest(
                "f",
                PreparationRuns.WIDTH,
                List.of(),
                new PreparationCounts(5000, 100, 0, 0, 0, 0, 0),
                TokenIds.UNKNOWN);

        PreparationReport report = PreparationReport.of(manifest, checks(Collections.nCopies(5000, "1 2 3")), 5);

        assertThat(report.duplicates()).isEqualTo(5000);
        assertThat(report.duplicatesEstimated()).isTrue();
    }

    @Test
    void theResultOfAGroupIsReadAsItWasWritten() throws IOException {
        GroupResult result =
                new GroupResult(7, null, PreparationCounts.NONE, checks(List.of("1 2 3", "1 2 3", "4 5")), List.of());

        assertThat(GroupResultJson.read(GroupResultJson.write(result), 7)).isEqualTo(result);
    }

    @Test
    void copiesInTheResultOfAnEarlierVersionAreCounted() {
        String json = """
                {"counts": {"examples": 3, "rows": 1, "tokens": 9, "trained_tokens": 6, "truncated": 0, "untrained": 0, "bad": 0},
                 "lengths": [0, 3], "hashes": [5, 5, 8]}
                """;

        assertThat(GroupResultJson.read(json, 0).checks().duplicates()).isEqualTo(1);
    }

    private ExampleChecks checks(List<String> lines) throws IOException {
        try (LineEncoder encoder = new NumbersEncoder("numbers").open();
                GroupExamples examples =
                        new GroupExamples(() -> ScratchFile.create(folder, "examples", 0), GroupExamples.MOST_TOKENS)) {
            GroupEncoding encoding = new GroupEncoding(encoder, PreparationRuns.PACKED, 1, examples);
            for (int i = 0; i < lines.size(); i++) {
                String line = lines.get(i);
                encoding.add("file", i, () -> line);
            }

            return encoding.result(0, null, 0).checks();
        }
    }
}
