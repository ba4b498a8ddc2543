package org.sparkqlora.spark.prepare;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sparkqlora.spark.job.Clusters;
import org.sparkqlora.spark.prepare.PreparationOptions.OnBadRecord;
import org.sparkqlora.spark.prepare.PreparationOptions.Packing;

class CommonDocumentsTest {
    @TempDir
    private Path folder;

    @Test
    void heldOutDocumentsThatAreTrainedOnAreCounted() {
        List<String> trained = documents(0, 300);

        assertThat(common(trained, documents(290, 310))).isEqualTo(new CommonDocuments(10, 20));
        assertThat(common(trained, documents(300, 305))).isEqualTo(new CommonDocuments(0, 5));
    }

    @Test
    void theFirstRowsOfLargeDataAreLookedAt() {
        int many = Math.toIntExact(CommonDocuments.ROWS) + 200;

        CommonDocuments found = common(documents(0, many), documents(0, many));

        assertThat(found.common()).isEqualTo(found.heldOut()).isLessThan(many);
    }

    @ParameterizedTest(name = "{0} examples in {1} rows")
    @CsvSource({"100, 100, 100", "10000, 10000, 4096", "10000000, 10000, 1048", "40000000, 10, 1"})
    void fewerRowsAreLookedAtWhereEachHasManyDocuments(long examples, long rows, long looked) {
        Manifest manifest = new Manifest(
                "f",
                PreparationRuns.WIDTH,
                List.of(),
                new PreparationCounts(examples, rows, 0, 0, 0, 0, 0),
                TokenIds.UNKNOWN);

        assertThat(CommonDocuments.rowsOf(manifest)).isEqualTo(looked);
    }

    private CommonDocuments common(List<String> trained, List<String> heldOut) {
        return Clusters.on(
                Clusters.TWO_SLOTS,
                context -> CommonDocuments.of(
                        context, prepare(context, "trained", trained), prepare(context, "held-out", heldOut)));
    }

    /** No two are equal. */
    private static List<String> documents(int from, int to) {
        return IntStream.range(from, to)
                .mapToObj(i -> "1 %d %d 2 3 4%s".formatted(i % 100 + 1, i / 100 + 1, i % 3 == 0 ? " 5 6" : ""))
                .toList();
    }

    private PreparedData prepare(JavaSparkContext context, String name, List<String> documents) {
        try {
            Path source = Files.write(folder.resolve(name + ".jsonl"), documents);
            return new DataPreparation(context, null)
                    .prepare(
                            List.of(source.toString()),
                            new NumbersEncoder("numbers"),
                            new PreparationOptions(8, Packing.ONE_A_ROW, OnBadRecord.FAIL),
                            folder.resolve(name + "-rows").toString());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
