package org.sparkqlora.ml;

import static org.apache.spark.sql.functions.col;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.options.Sessions;
import org.sparkqlora.spark.cluster.Location;
import org.sparkqlora.spark.job.Clusters;

/** The rows of a fit on disk. */
class TableRowsTest {
    private static final int FITS = 4;
    private static final RowSurvey SURVEY = new RowSurvey(1, "0", 0, List.of(), "");

    @TempDir
    private Path folder;

    @AfterAll
    static void stop() {
        Sessions.stop();
    }

    @Test
    void fitsSideBySideTakeTheSameRows() throws Exception {
        Dataset<Row> table = SparkSession.builder()
                .sparkContext(Clusters.start(Clusters.TWO_SLOTS).sc())
                .getOrCreate()
                .range(1)
                .selectExpr("'{}' AS line");
        CyclicBarrier surveyed = new CyclicBarrier(FITS);
        Callable<TableRows> fit = () -> TableRows.write(table, col("line"), Location.of(folder), lines -> {
            await(surveyed);
            return SURVEY;
        });
        ExecutorService fits = Executors.newFixedThreadPool(FITS);
        List<TableRows> rows = new ArrayList<>();
        for (Future<TableRows> each :
                fits.invokeAll(Stream.generate(() -> fit).limit(FITS).toList())) {
            rows.add(each.get());
        }

        fits.shutdown();
        assertThat(rows).containsOnly(rows.get(0));
        try (Stream<Path> left = Files.list(folder).filter(Files::isDirectory)) {
            assertThat(left).containsExactly(rows.get(0).folder().local());
        }
    }

    private static void await(CyclicBarrier barrier) {
        try {
            barrier.await(1, TimeUnit.MINUTES);
        } catch (Exception e) {
            throw new IllegalStateException("Failed to wait for the other fits", e);
        }
    }
}
