package org.sparkqlora.spark.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.spark.check.ClusterCheck;
import org.sparkqlora.spark.check.ClusterNeeds;
import org.sparkqlora.spark.exchange.ExchangeChoice;
import org.sparkqlora.spark.exchange.ExchangeKind;
import org.sparkqlora.spark.exchange.GradientSize;
import org.sparkqlora.tensor.DeviceChoice;
import org.sparkqlora.train.FolderModelSource;
import org.sparkqlora.train.GradientDtype;
import org.sparkqlora.train.ModelSource;

/** Executors whose GPUs a script makes up: no driver opens them. */
class GpuTasksTest {
    private static final GradientSize SMALL = new GradientSize(256, 2, GradientDtype.FP32);

    @TempDir
    private static Path folder;

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
