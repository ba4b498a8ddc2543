package org.sparkqlora.spark.job;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongConsumer;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.spark.exchange.ExchangeKind;
import org.sparkqlora.spark.job.FaultPoint.Effect;
import org.sparkqlora.spark.job.FaultPoint.Place;

/** Machines that join and leave a standalone cluster, between runs and in them, change no byte. */
@Tag("platform")
@Timeout(900)
class ClusterSizesIT {
    @TempDir
    private static Path folder;

    private static LlamaRuns runs;
    private static FaultPoint faults;
    private static String undisturbed;

    private StandaloneCluster machines;

    @BeforeAll
    static void trainUndisturbed() throws IOException {
        runs = LlamaRuns.in(folder);
        faults = FaultPoint.in(folder.resolve("faults"));
        undisturbed = Clusters.on(
                Clusters.TWO_SLOTS, context -> runs.train(context, runs.model(), ExchangeKind.AUTO, step -> {}));
    }

    @BeforeEach
    void startMachines(@TempDir Path disk) throws IOException {
        machines = StandaloneCluster.in(Files.createDirectories(disk));
        machines.addWorker(1);
    }

    @AfterEach
    void stopMachines() {
        machines.close();
    }

    @Test
    void oneTwoAndFourExecutorsGiveTheSameBytesAlsoWhenTheyComeAndGoInARun() {
        try (JavaSparkContext cluster = Clusters.start(machines.url())) {
            Clusters.awaitExecutors(cluster, 1);
            train(cluster, ExchangeKind.COLLECT, step -> {});
            train(cluster, ExchangeKind.SHUFFLE, after(2, () -> join(cluster, 2)));
            train(cluster, ExchangeKind.COLLECT, after(3, () -> join(cluster, 3, 4)));
            train(cluster, ExchangeKind.SHUFFLE, step -> {});
            train(cluster, ExchangeKind.SHUFFLE, after(1, () -> machines.loseWorker(1)));
            train(cluster, ExchangeKind.COLLECT, after(4, () -> machines.loseWorker(2)));
        }
    }

    @Test
    void soTheyDoWhereTheyShardTheOptimizerState() {
        try (JavaSparkContext cluster = Clusters.start(machines.url())) {
            Clusters.awaitExecutors(cluster, 1);
            trainSharded(cluster, after(2, () -> join(cluster, 2)));
            trainSharded(cluster, after(1, () -> join(cluster, 3, 4)));
            trainSharded(cluster, after(3, () -> machines.loseWorker(1)));
        }
    }

    private static void trainSharded(JavaSparkContext cluster, LongConsumer afterStep) {
        assertThat(runs.sharded().train(cluster, runs.model(), ExchangeKind.SHUFFLE, afterStep))
                .isEqualTo(undisturbed);
    }

    @Test
    void dynamicAllocationGoesFromOneExecutorToThreeAndBack() {
        machines.addWorker(2);
        machines.addWorker(3);
        try (JavaSparkContext cluster = Clusters.start(machines.url(), growing())) {
            for (ExchangeKind exchange : List.of(ExchangeKind.COLLECT, ExchangeKind.SHUFFLE)) {
                faults.clear();
                faults.arm(Place.COMPUTE, Effect.WAIT);
                CompletableFuture<Void> grown = CompletableFuture.runAsync(() -> {
                    Clusters.awaitExecutors(cluster, 3);
                    faults.open();
                });
                train(cluster, exchange, after(3, () -> Clusters.awaitExecutors(cluster, 1)));
                grown.join();
            }

            trainSharded(cluster, step -> {});
        }
    }

    private static Map<String, String> growing() {
        Map<String, String> settings = new HashMap<>(faults.settings());
        settings.put("spark.dynamicAllocation.enabled", "true");
        settings.put("spark.dynamicAllocation.shuffleTracking.enabled", "true");
        settings.put("spark.dynamicAllocation.minExecutors", "1");
        settings.put("spark.dynamicAllocation.maxExecutors", "3");
        settings.put("spark.dynamicAllocation.executorIdleTimeout", "1s");
        settings.put("spark.executor.cores", "1");
        return settings;
    }

    private static void train(JavaSparkContext cluster, ExchangeKind exchange, LongConsumer afterStep) {
        FaultyModel model = new FaultyModel(runs.model(), faults, exchange.optionName());
        assertThat(runs.train(cluster, model, exchange, afterStep)).isEqualTo(undisturbed);
    }

    private static LongConsumer after(int step, Runnable event) {
        return done -> {
            if (done == step) {
                event.run();
            }
        };
    }

    private void join(JavaSparkContext cluster, int... workers) {
        for (int worker : workers) {
            machines.addWorker(worker);
        }

        Clusters.awaitExecutors(cluster, workers[workers.length - 1]);
    }
}
