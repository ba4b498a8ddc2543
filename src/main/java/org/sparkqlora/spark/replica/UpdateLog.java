package org.sparkqlora.spark.replica;

import java.io.Serializable;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.optim.OptimizerSpec;
import org.sparkqlora.tensor.VectorPool;
import org.sparkqlora.train.GradientModel;
import org.sparkqlora.train.StateHome;
import org.sparkqlora.train.StateLog;
import org.sparkqlora.train.TrainState;
import org.sparkqlora.train.UnreachableStateException;
import org.sparkqlora.train.Update;

/**
 * The latest updates as handles, and a snapshot where some executor may need one: what a task carries is small, and a replica pulls only
 * what it lacks.
 *
 * @param snapshot from which the updates lead on; null if there is none
 * @param first version that the first of {@code updates} applies to
 * @param updates in their order
 * @param optimizer the rule of an update
 */
record UpdateLog(@Nullable Snapshot snapshot, long first, List<Update> updates, OptimizerSpec optimizer)
        implements StateLog, Serializable {
    UpdateLog {
        updates = List.copyOf(updates);
    }

    @Override
    public long snapshotVersion() {
        return snapshot == null ? first : snapshot.version();
    }

    @Override
    public boolean reaches(long version) {
        return version >= first;
    }

    @Override
    public TrainState snapshot(GradientModel model, StateHome home) {
        if (snapshot == null) {
            throw new UnreachableStateException("there is no State yet from which updates lead on");
        }

        return snapshot.read(model, optimizer, home);
    }

    @Override
    public void advance(TrainState state, VectorPool pool, Runnable beforeChange) {
        updates.get(Math.toIntExact(state.version() - first)).advance(state, pool, beforeChange);
    }
}
