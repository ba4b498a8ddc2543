package org.sparkqlora.spark.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.apache.spark.SparkConf;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.resource.ResourceInformation;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.spark.exchange.ExchangeKind;
import org.sparkqlora.spark.job.Clusters;
import org.sparkqlora.spark.job.LlamaRuns;
import org.sparkqlora.spark.job.MadeUpGpu;

/** Executors with GPUs that a script makes up: what Spark gives to tasks, not what tasks do with it. */
class ModelTasksTest {
    @TempDir
    private static Path folder;

    private static LlamaRuns runs;

    @BeforeAll
    static void writeModel() throws IOException {
        runs = LlamaRuns.in(folder);
    }

    @Test
    void aTaskHoldsAWholeGpuAndItsPartOfTheCoresWhateverOtherStagesTake() throws IOException {
        String undisturbed = Clusters.on(Clusters.TWO_SLOTS, context -> train(context));
        try (JavaSparkContext cluster =
                Clusters.start("local-cluster[2,2,1024]", MadeUpGpu.settings(folder, "0", 2, "0.5"))) {
            Clusters.awaitExecutors(cluster, 2);
            ModelTasks tasks = ModelTasks.of(cluster.getConf());

            assertThat(tasks).isEqualTo(new ModelTasks(2, true));
            assertThat(TaskSlots.available(cluster)).isEqualTo(2);
            assertThat(tasks.place(cluster.parallelize(List.of(1, 2, 3, 4), 4))
                            .map(number -> held())
                            .collect())
                    .containsOnly("2 cores, GPU 0");
            assertThat(cluster.parallelize(List.of(1, 2), 2)
                            .map(number -> held())
                            .collect())
                    .containsOnly("1 cores, GPU 0");
            assertThat(train(cluster)).isEqualTo(undisturbed);
        }
    }

    @Test
    void withoutGpusOrWhereSparkAllocatesExecutorsTheSettingsCount() {
        assertThat(ModelTasks.of(settings())).isEqualTo(new ModelTasks(3, false));
        assertThat(ModelTasks.of(settings().set("spark.executor.resource.gpu.amount", "2")))
                .isEqualTo(new ModelTasks(4, true));
        assertThat(ModelTasks.of(settings()
                        .set("spark.executor.resource.gpu.amount", "2")
                        .set("spark.dynamicAllocation.enabled", "true")))
                .isEqualTo(new ModelTasks(3, false));
    }

    @Test
    void aGpuIsGivenOnePassAndAThreadOne() {
        assertThat(ModelTasks.of(settings()).passes()).isEqualTo(3);
        assertThat(ModelTasks.of(settings().set("spark.executor.resource.gpu.amount", "2"))
                        .passes())
                .isEqualTo(1);
    }

    private static SparkConf settings() {
        return new SparkConf(false)
                .setMaster("spark://host:7077")
                .set("spark.executor.cores", "8")
                .set("spark.task.cpus", "3");
    }

    private static String train(JavaSparkContext context) {
        return runs.train(context, runs.model(), ExchangeKind.COLLECT, step -> {});
    }

    private static String held() {
        TaskContext task = TaskContext.get();
        ResourceInformation gpu = Objects.requireNonNull(task.resourcesJMap().get("gpu"), "no GPU");
        return "%d cores, GPU %s".formatted(task.cpus(), String.join("+", Arrays.asList(gpu.addresses())));
    }
}
