package org.sparkqlora.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.optim.OptimizerKind;
import org.sparkqlora.optim.OptimizerSpec;
import org.sparkqlora.optim.PagePlace;
import org.sparkqlora.optim.Paging;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.tensor.VectorPool;

class ReplicaTest {
    private static final int VERSIONS = 6;
    private static final int SECONDS = 20;
    private static final Set<Thread.State> WAITING = EnumSet.of(Thread.State.WAITING, Thread.State.BLOCKED);

    private final GradientModel model = new BigramModel();
    private final TrainPlan plan = TrainFixture.plan(TrainFixture.batches(2, 4, 10));

    @ParameterizedTest(name = "snapshot of version {0}")
    @ValueSource(ints = {0, 1, 3, VERSIONS})
    void replayFromAnySnapshotEqualsTheDirectState(int snapshot) {
        RecordedHistory log = new RecordedHistory(snapshot);
        try (Replica late = Replica.empty(model, StateHome.inMemory(new Workers(1)))) {
            byte[] replayed = late.at(VERSIONS, log, bound -> TrainFixture.bytes(log.last));

            assertThat(replayed).isEqualTo(TrainFixture.bytes(log.direct));
        }
    }

    @Test
    void replicaThatIsCurrentPullsOneUpdate() {
        RecordedHistory log = new RecordedHistory(0);
        try (Replica replica = Replica.empty(model, StateHome.inMemory(new Workers(1)))) {
            replica.at(VERSIONS - 1, log, bound -> 0);
            log.pulls.clear();
            replica.at(VERSIONS, log, bound -> 0);

            assertThat(log.pulls).containsExactly("update " + (VERSIONS - 1));
        }
    }

    /** Whether they wait behind each other depends on which of them asks first: many times, they ask at once. */
    @RepeatedTest(30)
    void callsThatWaitForTheSameMoveComputeTogether() throws Exception {
        RecordedHistory log = new RecordedHistory(0);
        CountDownLatch starting = new CountDownLatch(2);
        CountDownLatch computing = new CountDownLatch(1);
        CountDownLatch release = new CountDownLatch(1);
        CountDownLatch together = new CountDownLatch(2);
        try (Replica replica = Replica.empty(model, StateHome.inMemory(new Workers(1)))) {
            Call before = Call.start(() -> replica.at(1, log, bound -> {
                computing.countDown();
                return waited(release);
            }));
            assertThat(waited(computing)).isTrue();
            List<Call> next = new ArrayList<>();
            for (int i = 0; i < 2; i++) {
                next.add(Call.start(() -> {
                    starting.countDown();
                    while (starting.getCount() > 0) {
                        Thread.onSpinWait();
                    }

                    return replica.at(2, log, bound -> {
                        together.countDown();
                        return waited(together);
                    });
                }));
            }

            assertThat(next).allMatch(Call::waits);
            release.countDown();
            assertThat(before.result().get()).isTrue();
            for (Call each : next) {
                assertThat(each.result().get()).isTrue();
            }

            assertThat(log.pulls).containsExactly("snapshot 0", "update 0", "update 1");
        }
    }

    private record Call(Thread thread, FutureTask<Boolean> result) {
        static Call start(Callable<Boolean> call) {
            FutureTask<Boolean> result = new FutureTask<>(call);
            Thread thread = new Thread(result, "replica-call");
            thread.setDaemon(true);
            thread.start();
            return new Call(thread, result);
        }

        /** Whether it comes to wait for another call before it ends. */
        boolean waits() {
            while (!result.isDone()) {
                if (WAITING.contains(thread.getState())) {
                    return true;
                }

                Thread.onSpinWait();
            }

            return false;
        }
    }

    private static boolean waited(CountDownLatch latch) {
        try {
            return latch.await(SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void replicaBehindTheSnapshotJumpsToIt() {
        RecordedHistory old = new RecordedHistory(0);
        RecordedHistory rotated = new RecordedHistory(4);
        try (Replica replica = Replica.empty(model, StateHome.inMemory(new Workers(1)))) {
            replica.at(2, old, bound -> 0);
            replica.at(5, rotated, bound -> 0);

            assertThat(rotated.pulls).containsExactly("snapshot 4", "update 4");
        }
    }

    @Test
    void moveThatIsInterruptedIsTakenAgainFromASnapshot(@TempDir Path folder) {
        RecordedHistory log = new RecordedHistory(0, paged(plan));
        Paging inFile = new Paging(PagePlace.FILE, Paging.SMALLEST_WINDOW);
        try (Replica replica = Replica.empty(model, new StateHome(new Workers(1), inFile, folder))) {
            replica.at(VERSIONS - 1, log, bound -> 0);
            Thread.currentThread().interrupt(); // closes the file that the optimiser's state lies in
            assertThatThrownBy(() -> replica.at(VERSIONS, log, bound -> 0))
                    .isInstanceOf(RuntimeException.class)
                    .hasMessageContaining("scratch file")
                    .hasStackTraceContaining("ClosedByInterruptException");

            assertThat(Thread.interrupted()).isTrue();
            log.pulls.clear();
            byte[] replayed = replica.at(VERSIONS, log, bound -> TrainFixture.bytes(log.last));
            assertThat(log.pulls).startsWith("snapshot 0");
            assertThat(replayed).isEqualTo(TrainFixture.bytes(log.direct));
        }
    }

    @Test
    void lostUpdateIsPassedByANewerSnapshot() {
        RecordedHistory early = new RecordedHistory(0);
        RecordedHistory later = new RecordedHistory(4);
        try (Replica replica = Replica.empty(model, StateHome.inMemory(new Workers(1)))) {
            replica.at(2, early, bound -> 0);
            byte[] replayed =
                    replica.at(VERSIONS, new WithoutUpdates(later, 3), bound -> TrainFixture.bytes(later.last));

            assertThat(later.pulls).containsExactly("update 2", "snapshot 4", "update 4", "update 5");
            assertThat(replayed).isEqualTo(TrainFixture.bytes(later.direct));
        }
    }

    @Test
    void lostUpdateLeavesTheStateAsItIs() {
        RecordedHistory log = new RecordedHistory(0);
        try (Replica replica = Replica.empty(model, StateHome.inMemory(new Workers(1)))) {
            replica.at(2, log, bound -> 0);
            assertThatThrownBy(() -> replica.at(VERSIONS, new WithoutUpdates(log, 4), bound -> 0))
                    .isInstanceOf(UnreachableStateException.class)
                    .hasMessage("update 4 is lost");

            log.pulls.clear();
            replica.at(VERSIONS, log, bound -> 0);
            assertThat(log.pulls).containsExactly("update 4", "update 5");
        }
    }

    @Test
    void aStateThatIsChangedInPartIsForgottenAtOnce() {
        RecordedHistory log = new RecordedHistory(0);
        try (Replica replica = Replica.empty(model, StateHome.inMemory(new Workers(1)))) {
            replica.at(2, log, bound -> 0);
            assertThatThrownBy(() -> replica.at(3, new Torn(), bound -> 0))
                    .isInstanceOf(UnreachableStateException.class)
                    .hasMessage("half of them are lost");

            log.pulls.clear();
            replica.at(1, log, bound -> 0);
            assertThat(log.pulls).containsExactly("snapshot 0", "update 0");
        }
    }

    /** A log whose numbers are lost while a State takes them. */
    private record Torn() implements StateLog {
        @Override
        public long snapshotVersion() {
            return 3;
        }

        @Override
        public boolean reaches(long version) {
            return true;
        }

        @Override
        public TrainState snapshot(GradientModel of, StateHome home) {
            throw new IllegalStateException("takes memory for a second State");
        }

        @Override
        public void advance(TrainState state, VectorPool pool, Runnable beforeChange) {
            beforeChange.run();
            state.replaceParameters(new Position(3, null), parameters -> {
                parameters.set(0, 1);
                throw new UnreachableStateException("half of them are lost");
            });
        }
    }

    @Test
    void replicaThatIsAheadRefusesAStaleTask() {
        RecordedHistory log = new RecordedHistory(0);
        try (Replica replica = Replica.empty(model, StateHome.inMemory(new Workers(1)))) {
            replica.at(3, log, bound -> 0);

            assertThatThrownBy(() -> replica.at(2, log, bound -> 0))
                    .isInstanceOf(Replica.StaleVersionException.class)
                    .hasMessage(
                            "Cannot compute at version 2: this replica is at 3, so the step is already done elsewhere");
        }
    }

    @Test
    void stateRefusesTheUpdateOfAnotherVersion() {
        TrainState state = TrainFixture.freshState(plan, model);

        assertThatThrownBy(() ->
                        state.apply(new Update(1, SummedVector.of(FlatVector.zeros(256), Summation.TREE), 1f, 0.1)))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("Cannot apply the update of version 1 to version 0");
    }

    @Test
    void stateRefusesAStreamThatIsNoState() {
        DataInputStream in = new DataInputStream(new ByteArrayInputStream(new byte[64]));

        assertThatThrownBy(() -> TrainState.read(in, plan.optimizer(), StateHome.inMemory(new Workers(1))))
                .isInstanceOf(IOException.class)
                .hasMessage("Cannot read a training state: expected the mark of a training state 1397836883, found 0");
    }

    private static OptimizerSpec paged(TrainPlan plan) {
        OptimizerSpec plain = plan.optimizer();
        return new OptimizerSpec(
                OptimizerKind.PAGED_ADAMW, plain.beta1(), plain.beta2(), plain.epsilon(), plain.weightDecay());
    }

    /** A run of random updates whose snapshot is taken on the way. */
    private final class RecordedHistory implements StateLog {
        private final List<String> pulls = new ArrayList<>();
        private final List<Update> updates = new ArrayList<>();
        private final OptimizerSpec optimizer;
        private final TrainState direct;
        private final int snapshotVersion;
        private byte[] snapshot = new byte[0];
        private TrainState last;

        private RecordedHistory(int snapshotVersion) {
            this(snapshotVersion, plan.optimizer());
        }

        private RecordedHistory(int snapshotVersion, OptimizerSpec optimizer) {
            this.snapshotVersion = snapshotVersion;
            this.optimizer = optimizer;
            direct = TrainState.fresh(
                    model.initialParameters(plan.seed()),
                    model.parameters(),
                    optimizer,
                    plan.seed(),
                    StateHome.inMemory(new Workers(1)));
            last = direct;
            SplittableRandom random = new SplittableRandom(5);
            for (int version = 0; version <= VERSIONS; version++) {
                if (version == snapshotVersion) {
                    snapshot = TrainFixture.bytes(direct);
                }

                if (version < VERSIONS) {
                    updates.add(randomUpdate(version, random));
                    direct.apply(updates.get(version));
                }
            }
        }

        @Override
        public long snapshotVersion() {
            return snapshotVersion;
        }

        @Override
        public TrainState snapshot(GradientModel of, StateHome home) {
            pulls.add("snapshot " + snapshotVersion);
            try {
                last = TrainState.read(new DataInputStream(new ByteArrayInputStream(snapshot)), optimizer, home);
                return last;
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        public void advance(TrainState state, VectorPool pool, Runnable beforeChange) {
            pulls.add("update " + state.version());
            updates.get((int) state.version()).advance(state, pool, beforeChange);
        }

        private Update randomUpdate(int version, SplittableRandom random) {
            FlatVector gradient = FlatVector.zeros(model.parameters().size());
            for (long i = 0; i < gradient.length(); i++) {
                gradient.set(i, (float) random.nextDouble(-1, 1));
            }

            return new Update(version, SummedVector.of(gradient, Summation.TREE), 0.25f, 0.01);
        }
    }

    /** A log one of whose updates nobody has any more, but that needs no snapshot for others. */
    private record WithoutUpdates(RecordedHistory log, long lost) implements StateLog {
        @Override
        public boolean reaches(long version) {
            return true;
        }

        @Override
        public long snapshotVersion() {
            return log.snapshotVersion();
        }

        @Override
        public TrainState snapshot(GradientModel of, StateHome home) {
            return log.snapshot(of, home);
        }

        @Override
        public void advance(TrainState state, VectorPool pool, Runnable beforeChange) {
            if (state.version() == lost) {
                throw new UnreachableStateException("update %d is lost".formatted(lost));
            }

            log.advance(state, pool, beforeChange);
        }
    }
}
