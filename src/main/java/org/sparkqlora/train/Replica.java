package org.sparkqlora.train;

import java.util.Locale;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.tensor.Natives;
import org.sparkqlora.tensor.VectorPool;
import org.sparkqlora.train.metrics.Phase;
import org.sparkqlora.train.metrics.PhaseClock;

/**
 * One State and the model bound to it, on one device.
 *
 * <p>Any number of threads compute at the State's version at once. Moving on waits until they are done, and they wait while
 * it moves on, so that no one ever sees half an update. Model and threads belong to someone else and outlive their
 * replicas.
 */
public final class Replica implements AutoCloseable {
    private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();
    private final Object moving = new Object();
    private final GradientModel model;
    private final StateHome home;
    private final @Nullable TrainState given;
    private final VectorPool gradients;
    private @Nullable TrainState state;
    private @Nullable BoundModel bound;
    private boolean closed;

    private Replica(GradientModel model, StateHome home, @Nullable TrainState state) {
        this.model = model;
        this.home = home;
        this.given = state;
        this.state = state;
        this.gradients = new VectorPool(model.parameters().size());
    }

    /** A replica of {@code state}. */
    public static Replica of(GradientModel model, StateHome home, TrainState state) {
        return new Replica(model, home, state);
    }

    /** A replica that starts from the first snapshot it is given. */
    public static Replica empty(GradientModel model, StateHome home) {
        return new Replica(model, home, null);
    }

    /** Applies an update to the State, which must be there. */
    public void apply(Update update) {
        change(own -> {
            own.apply(update);
            return own.version();
        });
    }

    /** Changes the State, which must be there, and gives what {@code change} gives. */
    public <T> T change(Function<TrainState, T> change) {
        lock.writeLock().lock();
        try {
            release();
            return change.apply(requireState());
        } finally {
            lock.writeLock().unlock();
        }
    }

    /** Reads the State at {@code version}, moving there first if need be. */
    public <T> T read(long version, StateLog log, Function<TrainState, T> reader) {
        lockAt(version, log, PhaseClock.startIn(Phase.WAIT));
        try {
            return reader.apply(requireState());
        } finally {
            lock.readLock().unlock();
        }
    }

    /** A copy of the State at {@code version}, which the caller owns. */
    TrainState copyAt(long version, StateLog log, PhaseClock clock) {
        lockAt(version, log, clock);
        try {
            return requireState().copy(home);
        } finally {
            lock.readLock().unlock();
        }
    }

    /** A replica of {@code other} on the same model. */
    Replica beside(TrainState other) {
        return of(model, home, other);
    }

    /**
     * Computes at {@code version}, moving there first if need be. A replica that is ahead refuses: its caller is a stale
     * copy of a task that is long done.
     */
    public <T> T at(long version, StateLog log, Function<BoundModel, T> work) {
        return at(version, log, PhaseClock.startIn(Phase.WAIT), work);
    }

    /** Computes at {@code version} and enters its phases in {@code clock}. */
    public <T> T at(long version, StateLog log, PhaseClock clock, Function<BoundModel, T> work) {
        BoundModel ready = lockAt(version, log, clock);
        try {
            clock.enter(Phase.COMPUTE);
            return work.apply(ready);
        } finally {
            lock.readLock().unlock();
        }
    }

    /** Zeros for a gradient, in memory that is used again once it is closed. */
    public FlatVector freshGradient() {
        return gradients.zeros();
    }

    /** Waits for running computations, then frees what the model holds for this replica. */
    @Override
    public void close() {
        lock.writeLock().lock();
        try {
            closed = true;
            release();
            forgetState();
        } finally {
            lock.writeLock().unlock();
        }
    }

    /** Returns with the read lock held. One thread moves, and those that want the same version compute with it as soon as it is there. */
    private BoundModel lockAt(long version, StateLog log, PhaseClock clock) {
        clock.enter(Phase.WAIT);
        BoundModel current = lockIfAt(version);
        if (current != null) {
            return current;
        }

        synchronized (moving) {
            BoundModel meanwhile = lockIfAt(version);
            return meanwhile == null ? lockMoved(version, log, clock) : meanwhile;
        }
    }

    /** Null, without a lock, where the model is not bound at {@code version}. */
    private @Nullable BoundModel lockIfAt(long version) {
        lock.readLock().lock();
        BoundModel current = bound;
        if (current != null && requireState().version() == version) {
            return current;
        }

        lock.readLock().unlock();
        return null;
    }

    private BoundModel lockMoved(long version, StateLog log, PhaseClock clock) {
        lock.writeLock().lock();
        try {
            BoundModel moved = moveOrForget(version, log, clock);
            lock.readLock().lock();
            return moved;
        } finally {
            lock.writeLock().unlock();
        }
    }

    /**
     * A move that breaks off, as when Spark interrupts a task whose copy was faster, may leave half an update or a scratch file
     * that the interrupt has closed: the next move starts from a snapshot. One that never began leaves the State as it is.
     */
    private BoundModel moveOrForget(long version, StateLog log, PhaseClock clock) {
        try {
            return moveTo(version, log, clock);
        } catch (StaleVersionException | UnreachableStateException e) {
            throw e;
        } catch (RuntimeException | Error e) {
            if (given == null) {
                forgetAfter(e);
            }

            throw e;
        }
    }

    private void forgetAfter(Throwable first) {
        try {
            release();
            forgetState();
        } catch (RuntimeException second) {
            first.addSuppressed(second);
        }
    }

    private BoundModel moveTo(long version, StateLog log, PhaseClock clock) {
        clock.enter(Phase.LOAD);
        if (closed) {
            throw new ClosedReplicaException();
        }

        TrainState at = nearestState(log);
        if (at.version() > version) {
            throw new StaleVersionException(version, at.version());
        }

        clock.enter(Phase.REPLAY);
        while (at.version() < version) {
            at = advance(at, log);
        }

        clock.enter(Phase.LOAD);
        BoundModel ready =
                bound == null ? model.bind(at.parameters(), at.position().lossScale()) : bound;
        bound = ready;
        return ready;
    }

    /** By what the log has next, or by a newer snapshot where that is lost. */
    private TrainState advance(TrainState at, StateLog log) {
        try {
            log.advance(at, gradients, this::release);
            return at;
        } catch (UnreachableStateException e) {
            if (at.version() < 0) {
                forgetState();
                throw e;
            }

            if (log.snapshotVersion() <= at.version()) {
                throw e;
            }

            return pull(log);
        }
    }

    private TrainState nearestState(StateLog log) {
        TrainState own = state;
        if (own != null && log.reaches(own.version())) {
            return own;
        }

        return pull(log);
    }

    private TrainState pull(StateLog log) {
        TrainState pulled = log.snapshot(model, home);
        release();
        forgetState();
        state = pulled;
        return pulled;
    }

    /** A State that was pulled is this replica's own; one that was given is its owner's. */
    private void forgetState() {
        TrainState last = state;
        state = null;
        if (last != null && last != given) {
            last.close();
        }
    }

    private TrainState requireState() {
        if (state == null) {
            throw new IllegalStateException("Cannot use a replica that has no State yet");
        }

        return state;
    }

    private void release() {
        if (bound != null) {
            bound.close();
            bound = null;
            returnFreedMemory(requireState().version());
        }
    }

    /**
     * Between steps, when nothing computes, at versions 1, 8, 64 and so on: Java's compiler and the first documents of each length
     * leave free memory in many heaps, less and less of it as a run goes on. The pages of the next pass go with it and have to be
     * faulted in again.
     */
    private static void returnFreedMemory(long version) {
        boolean isPowerOfEight = Long.bitCount(version) == 1 && Long.numberOfTrailingZeros(version) % 3 == 0;
        if (isPowerOfEight) {
            Natives.returnFreedMemory();
        }
    }

    /** A replica that a process made room for another one by. */
    public static final class ClosedReplicaException extends IllegalStateException {
        private static final long serialVersionUID = 1L;

        ClosedReplicaException() {
            super("Cannot compute on a replica that is closed");
        }
    }

    /** A task asks for a version that its replica has left behind: it is a late copy of a task whose result is already known. */
    public static final class StaleVersionException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        StaleVersionException(long version, long replica) {
            super(String.format(
                    Locale.ROOT,
                    "Cannot compute at version %d: this replica is at %d, so the step is already done elsewhere",
                    version,
                    replica));
        }
    }
}
