package org.sparkqlora.spark.replica;

import org.sparkqlora.train.StateLog;
import org.sparkqlora.train.StateMean;
import org.sparkqlora.train.TrainState;
import org.sparkqlora.train.Update;

/** The only replica of a run whose tasks run in the driver: they compute on the driver's own State, and nothing is copied. */
public final class DriverReplica implements ReplicaGroup.OfDriver {
    private final String runId;
    private final TrainState state;
    private final ProcessReplica replica;

    public DriverReplica(RunHandle run, TrainState state) {
        this.runId = run.id();
        this.state = state;
        this.replica = ProcessReplicas.adopt(run, state);
    }

    @Override
    public TrainState state() {
        return state;
    }

    @Override
    public StateLog stateLog() {
        return StateLog.Own.INSTANCE;
    }

    @Override
    public void apply(Update update) {
        replica.replica().apply(update);
    }

    @Override
    public double become(StateMean mean, int steps) {
        return replica.replica().change(own -> own.become(mean, steps));
    }

    @Override
    public void close() {
        ProcessReplicas.release(runId);
        state.close();
    }
}
