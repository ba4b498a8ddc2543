package org.sparkqlora.spark.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.spark.cluster.ModelTasks;
import org.sparkqlora.spark.cluster.TaskGpus;
import org.sparkqlora.spark.exchange.ExchangeKind;
import org.sparkqlora.tensor.DeviceChoice;
import org.sparkqlora.train.FolderModelSource;
import org.sparkqlora.train.ModelSource;

/** One executor with several GPUs, of which each task holds one. */
abstract class GpuExecutorsContract {
    /** Of a loss in bf16, which every device rounds in other places. */
    private static final double ROUNDING = 0.03;

    @TempDir
    private Path folder;

    abstract int gpus();

    abstract DeviceChoice device();

    @Test
    void tasksOnAllGpusOfAnExecutorTrainAsOnTheProcessor() throws IOException {
        LlamaRuns runs = LlamaRuns.in(folder);
        List<Double> expected = losses(runs, Clusters.ONE_SLOT, Map.of(), DeviceChoice.CPU);
        List<String> addresses =
                IntStream.range(0, gpus()).mapToObj(Integer::toString).toList();
        Map<String, String> settings = MadeUpGpu.settings(folder, addresses, gpus(), "1");

        List<Double> found = losses(runs, "local-cluster[1,%d,1024]".formatted(gpus()), settings, device());

        assertThat(found).hasSameSizeAs(expected);
        for (int step = 0; step < expected.size(); step++) {
            assertThat(found.get(step)).isCloseTo(expected.get(step), within(ROUNDING));
        }
    }

    @Test
    void eachGpuIsHeldByATask() throws IOException {
        List<String> addresses =
                IntStream.range(0, gpus()).mapToObj(Integer::toString).toList();
        try (JavaSparkContext cluster = Clusters.start(
                "local-cluster[1,%d,1024]".formatted(gpus()), MadeUpGpu.settings(folder, addresses, gpus(), "1"))) {
            List<Integer> tasks = IntStream.range(0, 4 * gpus()).boxed().toList();
            List<String> held = ModelTasks.of(cluster.getConf())
                    .place(cluster.parallelize(tasks, tasks.size()))
                    .map(number -> String.join("+", TaskGpus.addresses()))
                    .collect();

            assertThat(held).hasSize(tasks.size()).hasSameElementsAs(addresses);
        }
    }

    private static List<Double> losses(LlamaRuns runs, String master, Map<String, String> settings, DeviceChoice device)
            throws IOException {
        ModelSource model = ((FolderModelSource) runs.model()).on(device);
        try (JavaSparkContext cluster = Clusters.start(master, settings)) {
            runs.train(cluster, model, ExchangeKind.COLLECT, step -> {});
        }

        List<Double> losses = new ArrayList<>();
        for (String line : Files.readAllLines(runs.folder().resolve("metrics.jsonl"))) {
            losses.add(new ObjectMapper().readTree(line).get("loss").asDouble());
        }

        return losses;
    }
}
