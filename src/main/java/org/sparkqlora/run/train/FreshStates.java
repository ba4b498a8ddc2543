package org.sparkqlora.run.train;

import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.model.layout.ParameterIndex;
import org.sparkqlora.run.model.FirstState;
import org.sparkqlora.train.StateHome;
import org.sparkqlora.train.TrainPlan;
import org.sparkqlora.train.TrainState;

/** State(0) of a run, which a run that lost all its executors before its first checkpoint asks for again. */
final class FreshStates implements Supplier<TrainState>, AutoCloseable {
    private final Supplier<FirstState> first;
    private final TrainPlan plan;
    private final StateHome home;
    private final ParameterIndex index;
    private @Nullable FirstState ready;

    /** Makes the first one, which also opens the model. */
    FreshStates(Supplier<FirstState> first, TrainPlan plan, StateHome home) {
        this.first = first;
        this.plan = plan;
        this.home = home;
        FirstState made = first.get();
        this.ready = made;
        this.index = made.index();
    }

    /** Where the trained tensors lie. */
    ParameterIndex index() {
        return index;
    }

    /** A State that is the caller's. */
    @Override
    public TrainState get() {
        FirstState state = ready == null ? first.get() : ready;
        ready = null;
        return TrainState.fresh(state.parameters(), index, plan.optimizer(), plan.seed(), home)
                .in(plan.spec().precision());
    }

    /** Some State is there: values that are ready would take memory until the end of the run. */
    void forget() {
        if (ready != null) {
            ready.close();
            ready = null;
        }
    }

    @Override
    public void close() {
        forget();
    }
}
