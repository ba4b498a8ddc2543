package org.sparkqlora.spark.replica;

import org.sparkqlora.train.StateLog;
import org.sparkqlora.train.StateMean;
import org.sparkqlora.train.TrainState;
import org.sparkqlora.train.Update;

/** The driver's State and the replicas that follow it. Driver only. */
public sealed interface ReplicaGroup extends AutoCloseable permits DriverReplica, FollowingReplicas {
    TrainState state();

    /** What a task needs to compute at the State's version. */
    StateLog history();

    /** Moves the State on; replicas follow when a task makes them. */
    void apply(Update update);

    /** The State becomes a mean; replicas follow when a task makes them. */
    void become(StateMean mean, int steps);

    @Override
    void close();
}
