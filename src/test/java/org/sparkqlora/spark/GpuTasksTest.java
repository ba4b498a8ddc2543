package org.sparkqlora.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.apache.hadoop.util.ShutdownHookManager;
import org.apache.spark.SparkEnv;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.tensor.DeviceChoice;
import org.sparkqlora.tensor.cuda.GpuLostError;
import org.sparkqlora.train.FolderModelSource;
import org.sparkqlora.train.ModelSource;
import org.sparkqlora.train.Wire;

/** Executors whose GPUs a script makes up: no driver opens them. */
class GpuTasksTest {
    private static final GradientSize SMALL = new GradientSize(256, 2, Wire.FP32);

    /** Of the attempt that lost the GPU, and of one that Spark may have sent back to its process. Spark gives up after four. */
    private static final int MOST_FAILURES = 2;

    /** Long enough for more failures than Spark allows. */
    private static final Duration SLOW_END = Duration.ofSeconds(3);

    /** Hooks of a higher number run first. */
    private static final int BEFORE_SPARK = 1000;

    @TempDir
    private static Path folder;

    @Test
    void aGpuThatCannotBeOpenedIsToldBeforeWorkAndIsNoReasonToTakeTheProcessor() throws IOException {
        LlamaRuns runs = LlamaRuns.in(folder);
        ModelSource onGpu = ((FolderModelSource) runs.model()).on(DeviceChoice.AUTO);
        try (JavaSparkContext cluster =
                Clusters.start("local-cluster[1,1,1024]", MadeUpGpu.settings(folder, "7", 1, "1"))) {
            ClusterNeeds needs = new ClusterNeeds(onGpu, List.of(folder.toString()), 1, MemoryPlans.of(1, 1, 1));
            ExchangeChoice choice = ExchangeChoice.of(ExchangeKind.COLLECT, SMALL, cluster.getConf());

            assertThat(new ClusterCheck(cluster).report(needs, choice).problems())
                    .singleElement()
                    .asString()
                    .startsWith("executor 0 on ")
                    .contains(": Cannot compute on GPU 7: ")
                    .endsWith("With --device cpu it computes on the processor");
            assertThatThrownBy(() -> runs.train(cluster, onGpu, ExchangeKind.COLLECT, step -> {}))
                    .hasMessageContaining("Cannot compute on GPU 7: ");
        }
    }

    /** Once a process ends, Spark does not count what fails there, however often it sends tasks back. */
    @Test
    void aTaskWhoseGpuIsLostEndsItsExecutorAndRunsInTheNextHoweverSlowThatEndIs() {
        try (JavaSparkContext cluster = Clusters.start("local-cluster[1,1,1024]");
                FaultLog faults = FaultLog.listen(cluster, line -> {})) {
            List<String> ended = cluster.parallelize(List.of(1), 1)
                    .map(number -> onLostGpu())
                    .collect();

            assertThat(ended).singleElement().asString().matches("[1-9][0-9]*");
            assertThat(faults.failedTasks()).isBetween(1, MOST_FAILURES);
        }
    }

    /** The first attempt loses the GPU of its process, and any other one there finds it lost. Tells the executor of one elsewhere. */
    private static String onLostGpu() {
        String executor = SparkEnv.get().executorId();
        if (TaskContext.get().attemptNumber() == 0) {
            System.setProperty("lost", executor);
            ShutdownHookManager.get().addShutdownHook(GpuTasksTest::holdUp, BEFORE_SPARK);
        }

        if (System.getProperty("lost") != null) {
            throw new GpuLostError("lost on " + executor);
        }

        return executor;
    }

    /** Spark takes tasks until its own hook runs. */
    private static void holdUp() {
        LockSupport.parkNanos(SLOW_END.toNanos());
    }
}
