package org.sparkqlora.spark.replica;

import java.io.Serializable;
import java.util.List;
import org.sparkqlora.optim.OptimizerSpec;
import org.sparkqlora.spark.blocks.BlockReads;
import org.sparkqlora.spark.blocks.ExecutorBlocks;
import org.sparkqlora.spark.blocks.ExecutorBlocks.LostBlockException;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.tensor.VectorPool;
import org.sparkqlora.train.GradientDtype;
import org.sparkqlora.train.GradientModel;
import org.sparkqlora.train.Position;
import org.sparkqlora.train.StateHome;
import org.sparkqlora.train.StateLog;
import org.sparkqlora.train.TrainState;
import org.sparkqlora.train.UnreachableStateException;

/**
 * The parameters of a State, in parts that executors hold. A replica of any version, or of none, comes to it by fetching them.
 *
 * @param position of the State
 * @param optimizer the rule by which the State moves on
 * @param blocks among which the parts are
 * @param parts in their order
 * @param starts the first element of each part
 */
record HeldParameters(
        Position position,
        OptimizerSpec optimizer,
        ExecutorBlocks blocks,
        List<ExecutorBlocks.Handle> parts,
        List<Long> starts)
        implements StateLog, Serializable {
    private static final long serialVersionUID = 1L;

    HeldParameters {
        parts = List.copyOf(parts);
        starts = List.copyOf(starts);
    }

    @Override
    public long snapshotVersion() {
        return position.version();
    }

    @Override
    public boolean reaches(long version) {
        return true;
    }

    @Override
    public TrainState snapshot(GradientModel model, StateHome home) {
        FlatVector parameters = home.zeros(optimizer, model.parameters().size());
        try {
            fetchInto(parameters);
        } catch (RuntimeException e) {
            parameters.close();
            throw e;
        }

        return TrainState.withoutOptimizer(parameters, model.parameters(), position, home);
    }

    @Override
    public void advance(TrainState state, VectorPool pool, Runnable beforeChange) {
        beforeChange.run();
        state.replaceParameters(position, this::fetchInto);
    }

    /** All of them in {@code target}; an {@link UnreachableStateException} if some are lost. */
    void fetchInto(FlatVector target) {
        try {
            new BlockReads(blocks, parts)
                    .each((bytes, part) -> GradientDtype.FP32.write(bytes, target, starts.get(part)));
        } catch (LostBlockException e) {
            throw new UnreachableStateException(
                    "the parameters of version %d are lost: %s".formatted(position.version(), e.getMessage()), e);
        }
    }
}
