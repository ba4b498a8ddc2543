package org.sparkqlora.spark.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.spark.check.ClusterCheck;
import org.sparkqlora.spark.check.ClusterNeeds;
import org.sparkqlora.spark.exchange.ExchangeChoice;
import org.sparkqlora.spark.exchange.ExchangeKind;
import org.sparkqlora.spark.exchange.GradientSize;
import org.sparkqlora.spark.replica.HeldReplicas;
import org.sparkqlora.tensor.DeviceChoice;
import org.sparkqlora.train.FolderModelSource;
import org.sparkqlora.train.GradientDtype;
import org.sparkqlora.train.ModelSource;

/** Executors whose GPUs a script makes up: no driver opens them. */
class GpuTasksTest {
    private static final GradientSize SMALL = new GradientSize(256, 2, GradientDtype.FP32);

    @TempDir
    private static Path folder;

    /** By their stage's profile, whatever a task holds by the settings. */
    @Test
    void ownersOfAStateUpdateItOnTheGpuOfTheirSteps() throws IOException {
        LlamaRuns runs = LlamaRuns.in(Files.createDirectories(folder.resolve("owners")));
        String expected = Clusters.on(
                Clusters.TWO_SLOTS, context -> runs.train(context, runs.model(), ExchangeKind.AUTO, step -> {}));
        Map<String, String> settings =
                new HashMap<>(MadeUpGpu.settings(Files.createDirectories(folder.resolve("gpu")), "7", 1, "1"));
        settings.remove("spark.task.resource.gpu.amount");
        try (JavaSparkContext cluster = Clusters.start("local-cluster[1,1,1024]", settings)) {
            ModelSource model = ((FolderModelSource) runs.model()).on(DeviceChoice.CPU);

            assertThat(runs.sharded().train(cluster, model, ExchangeKind.SHUFFLE, step -> {}))
                    .isEqualTo(expected);
            assertThat(cluster.parallelize(List.of(0), 1)
                            .map(task -> HeldReplicas.devices().toString())
                            .collect())
                    .containsExactly("[[7]]");
        }
    }

    @Test
    void aGpuThatCannotBeOpenedIsToldBeforeWorkAndIsNoReasonToTakeTheProcessor() throws IOException {
        LlamaRuns runs = LlamaRuns.in(folder);
        ModelSource onGpu = ((FolderModelSource) runs.model()).on(DeviceChoice.AUTO);
        try (JavaSparkContext cluster =
                Clusters.start("local-cluster[1,1,1024]", MadeUpGpu.settings(folder, "7", 1, "1"))) {
            ClusterNeeds needs = new ClusterNeeds(onGpu, List.of(folder.toString()), 1, 1, MemoryPlans.of(1, 1, 1));
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
}
