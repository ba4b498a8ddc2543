package org.sparkqlora.spark.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.apache.spark.SparkException;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.sparkqlora.spark.exchange.ExchangeKind;
import org.sparkqlora.spark.job.FaultPoint.Effect;
import org.sparkqlora.spark.job.FaultPoint.Place;

/** Faults of executors in a run, each on processes of its own: the State is that of an undisturbed run, byte for byte. */
@Timeout(900)
class ClusterFaultsIT {
    private static final int EXECUTORS = 2;

    /** The step that something happens in: its replicas move on by an update, not by a snapshot. */
    private static final int HIT = 4;

    @TempDir
    private static Path folder;

    private static LlamaRuns runs;
    private static FaultPoint faults;
    private static StandaloneCluster machines;
    private static JavaSparkContext cluster;
    private static String undisturbed;
    private static final List<String> RECOVERIES = new ArrayList<>();

    @BeforeAll
    static void startCluster() throws IOException {
        runs = LlamaRuns.in(folder);
        faults = FaultPoint.in(folder.resolve("faults"));
        undisturbed = Clusters.on(
                Clusters.TWO_SLOTS, context -> runs.train(context, runs.model(), ExchangeKind.AUTO, step -> {}));
        machines = StandaloneCluster.in(Files.createDirectories(folder.resolve("machines")));
        machines.addWorker(1);
        machines.addWorker(2);
        cluster = Clusters.start(machines.url(), settings());
    }

    private static Map<String, String> settings() {
        Map<String, String> settings = new HashMap<>(faults.settings());
        settings.put("spark.speculation", "true");
        settings.put("spark.speculation.task.duration.threshold", "2s"); // a short vector is added by one task
        settings.put("spark.decommission.enabled", "true");
        settings.put("spark.task.maxFailures", "3");
        return settings;
    }

    @AfterAll
    static void stopCluster() throws IOException {
        cluster.close();
        machines.close();
        Files.write(Path.of("target", "recoveries.txt"), RECOVERIES);
    }

    @ParameterizedTest(name = "killed at {0} by {1}")
    @CsvSource({
        "LOAD,COLLECT",
        "UPDATE,COLLECT",
        "COMPUTE,COLLECT",
        "SEND,COLLECT",
        "SEND,SHUFFLE",
        "UPDATE,SHARDED",
        "OWN,SHARDED"
    })
    void aKilledExecutorChangesNoByte(Place place, Way way) {
        run("kill -9 at " + place, place, Effect.WAIT, way, ClusterFaultsIT::kill);
    }

    @Test
    void slicesLostWithTheirExecutorAreComputedAgain() {
        run("kill -9 of who holds slices", Place.ADD, Effect.WAIT, Way.SHUFFLE, reader -> {
            faults.executors().stream().filter(pid -> pid != reader).forEach(ClusterFaultsIT::kill);
            faults.open();
        });
    }

    @ParameterizedTest(name = "by {0}")
    @EnumSource(Way.class)
    void aDecommissionedExecutorChangesNoByte(Way way) {
        run("decommission", Place.COMPUTE, Effect.WAIT, way, pid -> {
            signal("PWR", pid);
            faults.open();
            await("executor " + pid + " to leave")
                    .atMost(Clusters.LONGEST_WAIT)
                    .until(() -> ProcessHandle.of(pid).isEmpty());
        });
    }

    @ParameterizedTest(name = "at {0} by {1}")
    @CsvSource({"COMPUTE,COLLECT", "ADD,SHUFFLE", "OWN,SHARDED"})
    void aTaskThatThrowsIsTakenAgain(Place place, Way way) {
        run("exception at " + place, place, Effect.THROW, way, pid -> {});
    }

    @ParameterizedTest(name = "of who hangs at {0} by {1}")
    @CsvSource({"LOAD,COLLECT", "UPDATE,COLLECT", "COMPUTE,SHUFFLE", "ADD,SHUFFLE", "OWN,SHARDED"})
    void aSpeculativeCopyStepsIn(Place place, Way way) {
        run("hangs at " + place, place, Effect.WAIT, way, pid -> {});
    }

    @Test
    void aTaskThatAlwaysFailsEndsTheRunAfterTheFailuresThatAreAllowed() {
        BrokenModel broken = new BrokenModel(runs.model());

        assertThatThrownBy(() -> runs.train(cluster, broken, ExchangeKind.COLLECT, step -> {}))
                .isInstanceOf(SparkException.class)
                .hasMessageContaining("failed 3 times")
                .hasMessageContaining("Cannot compute: broken");
    }

    /** Trains while {@code event} happens to the executor that comes to {@code place} first in step {@link #HIT}. */
    private static void run(String name, Place place, Effect effect, Way way, Event event) {
        faults.clear();
        Clusters.awaitExecutors(cluster, EXECUTORS);
        FaultyModel model = new FaultyModel(runs.model(), faults, name + way);
        CompletableFuture<Void> done = CompletableFuture.runAsync(() -> {
            Optional<Long> caught =
                    await(name).atMost(Clusters.LONGEST_WAIT).until(faults::caught, Optional::isPresent);
            event.happenTo(caught.orElseThrow());
        });
        StepTimes times = new StepTimes();
        if (place == Place.LOAD) {
            faults.arm(place, effect);
        }

        String state = way.of(runs).train(cluster, model, way.exchange, step -> {
            times.add();
            if (step == HIT - 1 && place != Place.LOAD) {
                faults.arm(place, effect);
            }
        });

        faults.open();
        done.join();
        RECOVERIES.add("%s, %s: %.1f s".formatted(name, way, times.excess(place == Place.LOAD ? 1 : HIT)));
        assertThat(state).isEqualTo(undisturbed);
    }

    private static void kill(long pid) {
        assertThat(ProcessHandle.of(pid).map(ProcessHandle::destroyForcibly)).contains(true);
    }

    private static void signal(String signal, long pid) {
        try {
            assertThat(new ProcessBuilder("kill", "-" + signal, "" + pid)
                            .start()
                            .waitFor())
                    .isZero();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Who adds gradients, and who has the State. */
    private enum Way {
        COLLECT(ExchangeKind.COLLECT),
        SHUFFLE(ExchangeKind.SHUFFLE),
        SHARDED(ExchangeKind.SHUFFLE);

        private final ExchangeKind exchange;

        Way(ExchangeKind exchange) {
            this.exchange = exchange;
        }

        private LlamaRuns of(LlamaRuns runs) {
            return this == SHARDED ? runs.sharded() : runs;
        }
    }

    /** Happens to the executor whose process is {@code pid}. */
    private interface Event {
        void happenTo(long pid);
    }

    /** When steps were done. */
    private static final class StepTimes {
        private final List<Long> ends = new ArrayList<>(List.of(System.nanoTime()));

        private void add() {
            ends.add(System.nanoTime());
        }

        private double seconds(int step) {
            return (ends.get(step) - ends.get(step - 1)) / 1e9;
        }

        /** By how much {@code step} took longer than the step before the hit one. */
        private double excess(int step) {
            return seconds(step) - seconds(HIT - 1);
        }
    }
}
