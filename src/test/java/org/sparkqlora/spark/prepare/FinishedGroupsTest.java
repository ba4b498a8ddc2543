package org.sparkqlora.spark.prepare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.spark.job.Clusters;
import org.sparkqlora.storage.CountingStore;

/** What is asked of a store about groups: a listing before the job and one behind it, however many groups there are. */
class FinishedGroupsTest {
    private static final int LINES = 256; // of a group

    @TempDir
    private Path temporary;

    private PreparationRuns runs;

    @BeforeEach
    void makeFolders() throws IOException {
        runs = PreparationRuns.in(temporary);
    }

    @ParameterizedTest(name = "{0} groups")
    @ValueSource(ints = {1, 30})
    void aPreparationAsksForNoGroupThatIsNotThere(int groups) throws IOException {
        runs.writeLines("a.jsonl", PreparationRuns.lines(LINES * groups, 1));

        PreparedData data = prepareCounting("none");

        assertThat(data.manifest().files()).hasSize(groups);
        assertThat(CountingStore.LISTINGS.get()).isEqualTo(2);
        assertThat(CountingStore.MISSED).noneMatch(FinishedGroupsTest::isOfGroup);
    }

    @ParameterizedTest(name = "{0} groups")
    @ValueSource(ints = {2, 30})
    void aResumeListsTheFolderAsOftenHoweverManyGroupsThereAre(int groups) throws IOException {
        List<String> lines = PreparationRuns.lines(LINES * groups, 1);
        lines.set(lines.size() - 1, "1 2 3 17");
        lines.set(0, "1 2 3 18");
        runs.writeLines("a.jsonl", lines);
        assertThatThrownBy(() -> prepareCounting("1 2 3 17")).hasMessageContaining("died at 1 2 3 17");

        PreparedData data = prepareCounting("1 2 3 18"); // in a group that is finished

        assertThat(data.manifest().files()).hasSize(groups);
        assertThat(CountingStore.LISTINGS.get()).isEqualTo(2);
        assertThat(CountingStore.MISSED).noneMatch(FinishedGroupsTest::isOfGroup);
    }

    private static boolean isOfGroup(String name) {
        return name.startsWith("rows-") && name.endsWith(".json");
    }

    private PreparedData prepareCounting(String deadly) {
        return Clusters.on(Clusters.ONE_SLOT, context -> {
            CountingStore.installIn(context.hadoopConfiguration());
            return new DataPreparation(context, null)
                    .prepare(
                            List.of(runs.source().toString()),
                            new DeadlyLine("numbers", deadly),
                            PreparationRuns.PACKED,
                            CountingStore.path(runs.target()));
        });
    }
}
