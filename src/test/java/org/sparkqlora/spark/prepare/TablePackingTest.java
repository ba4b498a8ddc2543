package org.sparkqlora.spark.prepare;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerStageCompleted;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.data.Columns;
import org.sparkqlora.data.RecordFormat;
import org.sparkqlora.data.RecordReading;
import org.sparkqlora.spark.job.Clusters;
import org.sparkqlora.spark.prepare.PreparationOptions.OnBadRecord;
import org.sparkqlora.spark.prepare.PreparationOptions.Packing;

/** Where the groups of a table are packed changes none of their rows. */
class TablePackingTest {
    /** Of four files, each of four groups and a part of one. */
    private static final int RECORDS = 4 * 1100;

    private static final int FILES = 4;
    private static final int TOKENS = 50;
    private static final String FEW_SLOTS = "local[%d]".formatted(FILES / 2);
    private static final String MANY_SLOTS = "local[%d]".formatted(FILES);

    @TempDir
    private Path folder;

    @Test
    void groupsThatATaskReadsWholeArePackedThereToTheSameRows() {
        try (JavaSparkContext context =
                Clusters.start(Clusters.ONE_SLOT, Map.of("spark.kryo.registrationRequired", "false"))) {
            write(context);
        }

        Prepared apart = prepare(MANY_SLOTS);
        Prepared whereRead = prepare(FEW_SLOTS);

        assertThat(whereRead.data().manifest()).isEqualTo(apart.data().manifest());
        assertThat(whereRead.shuffled()).isLessThan(apart.shuffled() / 2);
    }

    @Test
    void theRecordsOfFilesAreCountedOnceHoweverOftenTheyAreLookedAt() {
        try (JavaSparkContext context =
                Clusters.start(Clusters.ONE_SLOT, Map.of("spark.kryo.registrationRequired", "false"))) {
            write(context);
        }

        assertThat(countingStages("looked at", 3)).isEqualTo(countingStages("at once", 0));
    }

    /** Stages that write for a shuffle, of a preparation after so many looks at the first records. */
    private int countingStages(String name, int looks) {
        AtomicInteger stages = new AtomicInteger();
        Clusters.on(FEW_SLOTS, context -> {
            context.sc().addSparkListener(new SparkListener() {
                @Override
                public void onStageCompleted(SparkListenerStageCompleted end) {
                    stages.addAndGet(end.stageInfo().shuffleDepId().isDefined() ? 1 : 0);
                }
            });
            DataPreparation preparation = new DataPreparation(context, null);
            for (int look = 0; look < looks; look++) {
                preparation.firsts(List.of(folder.resolve("source").toString()));
            }

            return prepare(preparation, name);
        });
        return stages.get();
    }

    private PreparedData prepare(DataPreparation preparation, String name) {
        return preparation.prepare(
                List.of(folder.resolve("source").toString()),
                RecordEncoders.ofTokens(new RecordReading(RecordFormat.AUTO, Columns.OWN)),
                new PreparationOptions(128, Packing.PACKED, OnBadRecord.FAIL),
                folder.resolve(name).toString());
    }

    /** @param shuffled bytes */
    private record Prepared(PreparedData data, long shuffled) {}

    private Prepared prepare(String master) {
        AtomicLong shuffled = new AtomicLong();
        PreparedData data = Clusters.on(master, context -> {
            context.sc().addSparkListener(new SparkListener() {
                @Override
                public void onTaskEnd(SparkListenerTaskEnd end) {
                    shuffled.addAndGet(end.taskMetrics().shuffleWriteMetrics().bytesWritten());
                }
            });
            return prepare(new DataPreparation(context, null), master);
        });
        return new Prepared(data, shuffled.get());
    }

    private void write(JavaSparkContext context) {
        SparkSession session = SparkSession.builder().sparkContext(context.sc()).getOrCreate();
        SplittableRandom random = new SplittableRandom(5);
        List<String> lines =
                IntStream.range(0, RECORDS).mapToObj(i -> line(random)).toList();
        session.read()
                .schema("input_ids array<int>, labels array<int>")
                .json(session.createDataset(lines, Encoders.STRING()))
                .coalesce(1)
                .write()
                .option("maxRecordsPerFile", RECORDS / FILES)
                .parquet(folder.resolve("source").toString());
    }

    private static String line(SplittableRandom random) {
        List<Integer> ids =
                random.ints(random.nextInt(2, TOKENS), 0, 1 << 16).boxed().toList();
        return "{\"input_ids\":%s,\"labels\":%s}".formatted(ids, ids);
    }
}
