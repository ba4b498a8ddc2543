package org.sparkqlora.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
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

    @TempDir
    private static Path folder;

    @Test
    void aGpuThatCannotBeOpenedIsToldBeforeWorkAndIsNoReasonToTakeTheProcessor() throws IOException {
        LlamaRuns runs = LlamaRuns.in(folder);
        ModelSource onGpu = ((FolderModelSource) runs.model()).on(DeviceChoice.AUTO);
        try (JavaSparkContext cluster = Clusters.start("local-cluster[1,1,1024]", gpus())) {
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

    /** Tells the executor of the second attempt, and whether it is that of the first, which leaves its name behind. */
    private static String failingFirst() {
        String executor = SparkEnv.get().executorId();
        if (TaskContext.get().attemptNumber() == 0) {
            System.setProperty("lost", executor);
            throw new GpuLostError("lost on " + executor);
        }

        return executor + (System.getProperty("lost") == null ? " after another" : " again");
    }

    private static Map<String, String> gpus() throws IOException {
        Path script = Files.createFile(
                folder.resolve("discover"),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x")));
        Files.writeString(script, "#!/bin/sh\necho '{\"name\": \"gpu\", \"addresses\": [\"7\"]}'\n");
        return Map.of(
                "spark.worker.resource.gpu.amount", "1",
                "spark.worker.resource.gpu.discoveryScript", script.toString(),
                "spark.executor.resource.gpu.amount", "1",
                "spark.executor.cores", "1",
                "spark.task.resource.gpu.amount", "1");
    }
}
