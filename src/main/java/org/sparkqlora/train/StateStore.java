package org.sparkqlora.train;

import java.util.Optional;
import org.sparkqlora.checkpoint.CheckpointDraft;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.train.metrics.StepMetrics;

/** Durable storage of States. */
public interface StateStore {
    /** The newest State that can be trusted. All of it is read for that. */
    Optional<Stored> newest();

    /**
     * The newest State whose bytes are all there, which nobody has read yet. Who reads it compares it with what was written:
     * an {@link UnreachableStateException} if it differs.
     */
    default Optional<Stored> newestByLength() {
        return newest();
    }

    default void save(SavedState state) {
        save(state, Optional.empty());
    }

    /** @param unevaluated the step to this State, where the evaluation that is due after it was not made yet */
    void save(SavedState state, Optional<StepMetrics> unevaluated);

    /** What those who have the State of {@code version} are to write it as, before it is saved; empty where only {@link #save} writes. */
    default Optional<CheckpointDraft> draft(long version) {
        return Optional.empty();
    }

    /** Takes the States over from processes that saved them before: those can save no more. */
    default void claim() {}

    /** Throws an error when another process has taken the States over since. */
    default void requireOwned() {}

    /** Forgets all States. */
    default void clear() {}

    /** A State in the store, of which no more is read than is asked for. */
    interface Stored extends StateOrigin {
        long version();

        /** The step to this State, where the evaluation that is due after it had not been made when it was saved. */
        default Optional<StepMetrics> unevaluated() {
            return Optional.empty();
        }

        /** The trained values alone; the caller closes them. */
        FlatVector parameters();
    }
}
