package org.sparkqlora.spark.replica;

import org.sparkqlora.train.StateLog;
import org.sparkqlora.train.StateMean;
import org.sparkqlora.train.TrainState;
import org.sparkqlora.train.Update;

/** The driver's State and the replicas that follow it. Driver only. */
public sealed interface ReplicaGroup extends AutoCloseable permits DriverReplica, FollowingReplicas {
    TrainState state();

    /** The log from which a task computes at the State's version. */
    StateLog stateLog();

    /** Moves the State on; replicas follow when a task makes them. */
    void apply(Update update);

    /** The State becomes a mean; replicas follow when a task makes them. */
    void become(StateMean mean, int steps);

    @Override
    void close();
}
