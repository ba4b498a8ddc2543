package org.sparkqlora.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.DataOutput;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import org.junit.jupiter.api.Test;
import org.sparkqlora.train.metrics.ProgressReporter;
import org.sparkqlora.train.metrics.StepMetrics;

class CheckpointWriterTest {
    private static final DataOutput NOWHERE = new DataOutputStream(OutputStream.nullOutputStream());

    private final List<Long> stored = new ArrayList<>();
    private final List<Long> told = new ArrayList<>();
    private final CountDownLatch mayStore = new CountDownLatch(1);
    private final Semaphore released = new Semaphore(0);

    @Test
    void aStateThatLastsIsWrittenBesideTheNextSteps() throws InterruptedException {
        try (CheckpointWriter writer = writer(slow())) {
            save(writer, new Lasting(3));
            writer.poll(() -> new Lasting(4));
            assertThat(writer.kept()).isZero();
            assertThat(told).isEmpty();

            mayStore.countDown();
            writer.finish(() -> new Lasting(5));
            assertThat(writer.kept()).isEqualTo(3);
            assertThat(told).containsExactly(3L);
            assertThat(stored).containsExactly(3L);
            released.acquire();
        }
    }

    @Test
    void oneIsWholeBeforeTheNextBegins() {
        mayStore.countDown();
        try (CheckpointWriter writer = writer(slow())) {
            save(writer, new Lasting(3));
            save(writer, new Lasting(6));
            assertThat(writer.kept()).isEqualTo(3);
        }

        assertThat(stored).containsExactly(3L, 6L);
    }

    @Test
    void aStateThatWasLostIsReplacedByThatOfNow() {
        try (CheckpointWriter writer = writer(failing(3, new UnreachableStateException("lost")))) {
            save(writer, new Lasting(3));
            writer.finish(() -> new Lasting(5));

            assertThat(writer.kept()).isEqualTo(5);
            assertThat(stored).containsExactly(5L);
            assertThat(released.tryAcquire(2)).isTrue();
        }
    }

    @Test
    void whatAStoreThrowsComesToWhoTrains() {
        try (CheckpointWriter writer = writer(failing(3, new IllegalStateException("disk full")))) {
            save(writer, new Lasting(3));

            assertThatThrownBy(() -> writer.finish(() -> new Lasting(4)))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("disk full");
            assertThat(writer.kept()).isZero();
        }
    }

    @Test
    void interruptingWhoTrainsDoesNotInterruptAWrite() {
        StateStore interruptible =
                store(state -> assertThat(Thread.currentThread().isInterrupted())
                        .as("a file system gives up")
                        .isFalse());
        Thread.currentThread().interrupt();
        try (CheckpointWriter writer = writer(interruptible)) {
            save(writer, new Passing(3));
            writer.beforeChange(() -> new Passing(3));
            assertThat(writer.kept()).isEqualTo(3);
        } finally {
            assertThat(Thread.interrupted()).isTrue();
        }
    }

    @Test
    void aStateThatTheNextStepChangesIsWholeBefore() {
        try (CheckpointWriter writer = writer(slow())) {
            save(writer, new Passing(3));
            assertThat(writer.kept()).isZero();

            mayStore.countDown();
            writer.beforeChange(() -> new Passing(3));
            assertThat(writer.kept()).isEqualTo(3);
        }
    }

    @Test
    void aStateThatLastsIsNotWaitedForBeforeAChange() {
        try (CheckpointWriter writer = writer(slow())) {
            save(writer, new Lasting(3));

            writer.beforeChange(() -> new Lasting(3));
            assertThat(writer.kept()).isZero();
            mayStore.countDown();
        }
    }

    @Test
    void oneThatWaitsForTheNextStepIsTakenBeforeItIsWaitedFor() {
        mayStore.countDown();
        try (CheckpointWriter writer = writer(store(state -> state.write(NOWHERE)))) {
            save(writer, new Coming(3));
            writer.finish(() -> new Lasting(3));

            assertThat(writer.kept()).isEqualTo(3);
        }
    }

    @Test
    void oneThatWaitsForAStepThatNeverComesEndsWithTraining() {
        try (CheckpointWriter writer = writer(store(state -> state.write(NOWHERE)))) {
            save(writer, new Coming(3));
        }

        assertThat(stored).isEmpty();
        assertThat(released.tryAcquire()).isTrue();
    }

    private static void save(CheckpointWriter writer, SavedState state) {
        writer.save(() -> state, () -> state, Optional.empty());
    }

    private CheckpointWriter writer(StateStore store) {
        return new CheckpointWriter(
                store,
                new ProgressReporter() {
                    @Override
                    public void checkpointed(long step) {
                        told.add(step);
                    }
                },
                0);
    }

    private StateStore slow() {
        return store(state -> {
            try {
                mayStore.await();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
    }

    private StateStore failing(long version, RuntimeException thrown) {
        return store(state -> {
            if (state.version() == version) {
                throw thrown;
            }
        });
    }

    private StateStore store(Before before) {
        return new StateStore() {
            @Override
            public Optional<Stored> newest() {
                return Optional.empty();
            }

            @Override
            public void save(SavedState state, Optional<StepMetrics> unevaluated) {
                try {
                    before.storing(state);
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }

                stored.add(state.version());
            }
        };
    }

    private interface Before {
        void storing(SavedState state) throws IOException;
    }

    /** One that the next step changes. */
    private final class Passing extends Saved {
        private Passing(long version) {
            super(version);
        }

        @Override
        public boolean isLasting() {
            return false;
        }
    }

    private final class Lasting extends Saved {
        private Lasting(long version) {
            super(version);
        }

        @Override
        public boolean isLasting() {
            return true;
        }
    }

    /** One that is there when it is settled. */
    private final class Coming extends Saved {
        private final CompletableFuture<Boolean> there = new CompletableFuture<>();

        private Coming(long version) {
            super(version);
        }

        @Override
        public boolean isLasting() {
            return true;
        }

        @Override
        public void settle() {
            there.complete(true);
        }

        @Override
        public void abandon() {
            there.complete(false);
        }

        @Override
        public void write(DataOutput out) {
            if (!there.join()) {
                throw new UnreachableStateException("abandoned");
            }
        }
    }

    private abstract class Saved implements SavedState {
        private final long version;

        private Saved(long version) {
            this.version = version;
        }

        @Override
        public long version() {
            return version;
        }

        @Override
        public void write(DataOutput out) {
            throw new IllegalStateException("the stores here write nothing");
        }

        @Override
        public void release() {
            released.release();
        }
    }
}
