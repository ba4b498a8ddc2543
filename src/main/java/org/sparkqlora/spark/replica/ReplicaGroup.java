package org.sparkqlora.spark.replica;

import java.util.List;
import java.util.Optional;
import java.util.function.LongFunction;
import org.sparkqlora.checkpoint.CheckpointDraft;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.train.Position;
import org.sparkqlora.train.SavedState;
import org.sparkqlora.train.ShardResult;
import org.sparkqlora.train.StateLog;
import org.sparkqlora.train.StateMean;
import org.sparkqlora.train.TrainState;
import org.sparkqlora.train.UnreachableStateException;
import org.sparkqlora.train.Update;

/** The State of a run as its replicas have it. Driver only. */
public sealed interface ReplicaGroup extends AutoCloseable permits ReplicaGroup.OfDriver, ReplicaGroup.OfExecutors {
    /** The State's version and scale of the loss. */
    Position position();

    /** The State's trained values in the driver's process, brought there if they are not; this group's own. */
    FlatVector parameters();

    /** The State for a checkpoint. */
    SavedState saved();

    /**
     * As {@link #saved()}, written by the executors that hold it.
     *
     * @param drafts gives the draft of a version, where there is one
     */
    default SavedState saved(LongFunction<Optional<CheckpointDraft>> drafts) {
        return saved();
    }

    /**
     * As {@link #saved()}, where a step of so many shards follows, whose tasks may leave and write it.
     *
     * @param drafts gives the draft of a version, where there is one
     */
    default SavedState savedByNextStep(int shards, LongFunction<Optional<CheckpointDraft>> drafts) {
        return saved();
    }

    /** What tasks are to leave, or to tell of, beside what they compute. */
    default Optional<StateRequest> request() {
        return Optional.empty();
    }

    /** The log from which a task computes at the State's version. */
    StateLog stateLog();

    /** Moves the State on; replicas follow when a task makes them. */
    void apply(Update update);

    /** The State becomes a mean; replicas follow when a task makes them. Gives {@link StateMean#divergence}. */
    double become(StateMean mean, int steps);

    /** Shards were computed at the position. */
    default void computed(List<ShardResult.Gradient> shards) {}

    /** A task could not come to the position: makes it possible, or throws {@code reason} or another such. */
    default void recover(UnreachableStateException reason) {
        throw reason;
    }

    /** The most bytes of optimiser state and of its buffers that the driver has held at once. */
    long optimizerResidentBytes();

    @Override
    void close();

    /** One whose State the driver has. */
    sealed interface OfDriver extends ReplicaGroup permits DriverReplica, FollowingReplicas {
        TrainState state();

        @Override
        default Position position() {
            return state().position();
        }

        @Override
        default FlatVector parameters() {
            return state().parameters();
        }

        @Override
        default SavedState saved() {
            return state();
        }

        @Override
        default long optimizerResidentBytes() {
            return state().optimizerResidentBytes();
        }
    }

    /** One whose State executors alone have. */
    sealed interface OfExecutors extends ReplicaGroup permits ExecutorReplicas, ShardedReplicas {
        /** Local steps exchange whole States, for which the driver has its own. */
        @Override
        default double become(StateMean mean, int steps) {
            throw new IllegalStateException("Cannot set a State that executors hold to a mean");
        }

        /** None: executors have it. */
        @Override
        default long optimizerResidentBytes() {
            return 0;
        }
    }
}
