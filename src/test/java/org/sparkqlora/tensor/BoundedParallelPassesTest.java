package org.sparkqlora.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class BoundedParallelPassesTest {
    private final List<CompletableFuture<Integer>> passes = IntStream.range(0, 6)
            .mapToObj(pass -> new CompletableFuture<Integer>())
            .toList();
    private final List<Integer> started = new ArrayList<>();
    private final List<Integer> ended = new ArrayList<>();
    private final List<BooleanSupplier> stops = new CopyOnWriteArrayList<>();
    private final List<String> seen = new CopyOnWriteArrayList<>();

    @Test
    void resultsComeInTheOrderOfTheInputsThoughLaterOnesAreDoneFirst() {
        Thread lanes = running(3);
        for (int pass : new int[] {2, 1, 0, 5, 4, 3}) {
            finish(pass);
        }

        join(lanes);
        assertThat(ended).containsExactly(0, 1, 2, 3, 4, 5);
    }

    @Test
    void noMoreRunAtOnceThanThereAreLanes() {
        List<Integer> running = new ArrayList<>();
        List<Integer> most = new ArrayList<>();

        new BoundedParallelPasses(2)
                .run(
                        inputs(),
                        (pass, stopped) -> {
                            running.add(pass);
                            most.add(running.size());
                            return CompletableFuture.completedFuture(pass);
                        },
                        running::remove);

        assertThat(most).containsOnly(1, 2);
    }

    @Test
    void afterAFailureNoneIsStartedAndNoneGoesOn() {
        Thread failing = new Thread(() -> {
            assertThatThrownBy(() -> new BoundedParallelPasses(2).run(inputs(), this::start, ended::add))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("no pass");
            seen.add("failed");
        });
        failing.start();
        passes.get(0).completeExceptionally(new IllegalStateException("no pass"));
        assertThat(isAlive(failing)).as("waits for the second").isTrue();

        finish(1);

        join(failing);
        assertThat(seen).containsExactly("failed");
        assertThat(started).containsExactly(0, 1);
        assertThat(ended).isEmpty();
    }

    @Test
    void anInterruptedCallerStopsWhatRunsAndWaitsForIt() {
        Thread interrupted = new Thread(() -> {
            assertThatThrownBy(() -> new BoundedParallelPasses(2).run(inputs(), this::start, ended::add))
                    .isInstanceOf(CancellationException.class)
                    .hasMessage("Cannot finish a pass: its task was cancelled");
            assertThat(Thread.currentThread().isInterrupted()).isTrue();
            seen.add("cancelled");
        });
        interrupted.start();
        assertThat(isAlive(interrupted)).isTrue();
        interrupted.interrupt();
        assertThat(isAlive(interrupted)).as("waits for both").isTrue();
        assertThat(stops).hasSize(2).allMatch(BooleanSupplier::getAsBoolean);

        finish(0);
        finish(1);

        join(interrupted);
        assertThat(seen).containsExactly("cancelled");
        assertThat(started).containsExactly(0, 1);
    }

    private Thread running(int count) {
        Thread lanes = new Thread(() -> new BoundedParallelPasses(count).run(inputs(), this::start, ended::add));
        lanes.start();
        return lanes;
    }

    private CompletableFuture<Integer> start(Integer pass, BooleanSupplier stopped) {
        started.add(pass);
        stops.add(stopped);
        return passes.get(pass);
    }

    private void finish(int pass) {
        passes.get(pass).complete(pass);
    }

    private static Iterator<Integer> inputs() {
        return IntStream.range(0, 6).iterator();
    }

    private static boolean isAlive(Thread thread) {
        wait(thread, 200);
        return thread.isAlive();
    }

    private static void join(Thread thread) {
        wait(thread, 10_000);
        assertThat(thread.isAlive()).isFalse();
    }

    private static void wait(Thread thread, long millis) {
        try {
            thread.join(millis);
        } catch (InterruptedException e) {
            throw new AssertionError("Interrupted while passes ran", e);
        }
    }
}
