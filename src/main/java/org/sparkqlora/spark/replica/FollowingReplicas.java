package org.sparkqlora.spark.replica;

import org.sparkqlora.train.StateLog;
import org.sparkqlora.train.StateMean;
import org.sparkqlora.train.TrainState;
import org.sparkqlora.train.Update;

/** The driver's State, followed by executors through snapshot and update broadcasts. */
public final class FollowingReplicas implements ReplicaGroup.OfDriver {
    private final TrainState state;
    private final StateLogPublisher publisher;

    public FollowingReplicas(TrainState state, StateLogPublisher publisher) {
        this.state = state;
        this.publisher = publisher;
    }

    @Override
    public TrainState state() {
        return state;
    }

    @Override
    public StateLog stateLog() {
        return publisher.upTo(state);
    }

    @Override
    public void apply(Update update) {
        publisher.add(update);
        state.apply(update);
    }

    /** A mean is the whole State, so that the next snapshot is all that replicas need. */
    @Override
    public double become(StateMean mean, int steps) {
        publisher.close();
        return state.become(mean, steps);
    }

    @Override
    public void close() {
        publisher.close();
        state.close();
    }
}
