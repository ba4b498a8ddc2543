package org.sparkqlora.spark.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.spark.job.Clusters;
import org.sparkqlora.spark.job.MadeUpGpu;
import org.sparkqlora.tensor.DeviceChoice;
import org.sparkqlora.tensor.cuda.ComputeCapability;
import org.sparkqlora.tensor.cuda.HostCuda;

/** Executors whose GPUs a script makes up, behind a driver that the processor plays. */
class GpusTest {
    private static final String JAVA_OPTIONS = "spark.executor.extraJavaOptions";

    @TempDir
    private Path folder;

    @Test
    @Tag(HostCuda.TAG)
    void executorsTellWhatTheirCardsAre() throws IOException {
        try (JavaSparkContext cluster = Clusters.start("local-cluster[2,1,1024]", withDriver("7", "5"))) {
            assertThat(Gpus.oldest(cluster, DeviceChoice.AUTO)).contains(new ComputeCapability(7, 5));
            assertThat(Gpus.oldest(cluster, DeviceChoice.CPU)).isEmpty();
        }
    }

    @Test
    void cardsThatCannotBeOpenedTellNothing() throws IOException {
        try (JavaSparkContext cluster =
                Clusters.start("local-cluster[1,1,1024]", MadeUpGpu.settings(folder, "0", 1, "1"))) {
            assertThat(Gpus.oldest(cluster, DeviceChoice.AUTO)).isEmpty();
        }
    }

    @Test
    void withoutGpusNoTaskIsAsked() {
        try (JavaSparkContext local = Clusters.start(Clusters.ONE_SLOT)) {
            assertThat(Gpus.oldest(local, DeviceChoice.AUTO)).isEmpty();
            assertThat(local.statusTracker().getJobIdsForGroup(null)).isEmpty();
        }
    }

    /** Settings of executors that find a driver whose GPUs are of that generation. */
    private Map<String, String> withDriver(String major, String minor) throws IOException {
        Path drivers = Files.createDirectory(folder.resolve("drivers"));
        Files.copy(HostCuda.library(), drivers.resolve("libcuda.so.1"));
        Map<String, String> settings = new HashMap<>(MadeUpGpu.settings(folder, "0", 1, "1"));
        settings.put("spark.executorEnv.HOST_CUDA_MAJOR", major);
        settings.put("spark.executorEnv.HOST_CUDA_MINOR", minor);
        settings.put(
                JAVA_OPTIONS,
                Clusters.configuration(Clusters.ONE_SLOT).get(JAVA_OPTIONS) + " -Djna.library.path=" + drivers);
        return settings;
    }
}
