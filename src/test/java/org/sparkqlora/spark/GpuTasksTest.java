package org.sparkqlora.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
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

    /** More than a process takes to end. */
    private static final long END_MILLIS = 60_000;

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

    @Test
    void aTaskWhoseGpuIsLostEndsItsExecutorAndRunsElsewhere() {
        try (JavaSparkContext cluster = Clusters.start(Clusters.TWO_EXECUTORS)) {
            Clusters.awaitExecutors(cluster, 2);

            List<String> ended = cluster.parallelize(List.of(1), 1)
                    .map(number -> failingFirst())
                    .collect();

            assertThat(ended).singleElement().asString().matches("[0-9]+ after another");
        }
    }

    /**
     * Tells the executor of a later attempt, and whether it is that of the first, which leaves its name behind. Spark may send the task back to
     * the process that is about to end: there it waits for that end.
     */
    private static String failingFirst() throws InterruptedException {
        String executor = SparkEnv.get().executorId();
        if (TaskContext.get().attemptNumber() == 0) {
            System.setProperty("lost", executor);
            throw new GpuLostError("lost on " + executor);
        }

        if (System.getProperty("lost") == null) {
            return executor + " after another";
        }

        Thread.sleep(END_MILLIS);
        return executor + " again";
    }
}
