package org.sparkqlora.spark.source;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.spark.job.Clusters;
import org.sparkqlora.storage.CountingStore;

class SourceListingTest {
    private static final int FILES = 40;

    @TempDir
    Path folder;

    @Test
    void filesOfJsonAreOpenedSideBySideAndOnceUnlessTheyChange() throws IOException {
        for (int i = 0; i < FILES; i++) {
            Files.writeString(folder.resolve("a%02d.json".formatted(i)), i % 2 == 0 ? "[]" : "{}");
        }

        SourceListing listing = Clusters.on(
                Clusters.TWO_SLOTS,
                context -> new SourceListing(
                        SparkSession.builder().sparkContext(context.sc()).getOrCreate(), CountingStore.install()));
        CountingStore.answerTogether(2);

        List<SourceFile> files = list(listing);

        assertThat(files).extracting(SourceFile::kind).startsWith(SourceKind.JSON_LIST, SourceKind.JSON_LINES);
        assertThat(list(listing)).isEqualTo(files);
        assertThat(CountingStore.OPEN.all()).isEqualTo(FILES);
        assertThat(CountingStore.OPEN.now()).isZero();

        Files.setLastModifiedTime(folder.resolve("a07.json"), FileTime.fromMillis(1000));
        list(listing);
        assertThat(CountingStore.OPEN.all()).isEqualTo(FILES + 1);
    }

    private List<SourceFile> list(SourceListing listing) {
        return listing.list(WeightedSource.parse(List.of(CountingStore.path(folder))))
                .get(0)
                .files();
    }
}
