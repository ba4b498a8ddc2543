package org.sparkqlora.spark.replica;

import java.io.Serializable;
import org.sparkqlora.optim.OptimizerSpec;
import org.sparkqlora.train.GradientModel;
import org.sparkqlora.train.StateHome;
import org.sparkqlora.train.TrainState;

/** A handle of the bytes of a State. */
public interface Snapshot extends Serializable, AutoCloseable {
    /** Of the State. */
    long version();

    /**
     * The State, kept in {@code home}, which is the caller's.
     *
     * @param model that is to compute at it
     */
    TrainState read(GradientModel model, OptimizerSpec optimizer, StateHome home);

    /** Driver only: the bytes go, wherever they are. */
    @Override
    void close();
}
