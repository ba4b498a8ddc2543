package org.sparkqlora.run.train;

import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.model.layout.ParameterIndex;
import org.sparkqlora.run.model.FirstState;
import org.sparkqlora.train.StateHome;
import org.sparkqlora.train.StateOrigin;
import org.sparkqlora.train.TrainPlan;
import org.sparkqlora.train.TrainState;

/** State(0) of a run, which a run that lost all its executors before its first checkpoint asks for again. */
final class FreshStates implements StateOrigin, AutoCloseable {
    private final Supplier<FirstState> first;
    private final ParameterIndex index;
    private final TrainPlan plan;
    private final StateHome home;
    private final @Nullable Recipe recipe;
    private @Nullable FirstState ready;

    private FreshStates(
            Supplier<FirstState> first,
            ParameterIndex index,
            TrainPlan plan,
            StateHome home,
            @Nullable Recipe recipe,
            @Nullable FirstState ready) {
        this.first = first;
        this.index = index;
        this.plan = plan;
        this.home = home;
        this.recipe = recipe;
        this.ready = ready;
    }

    /** Those that the driver makes. The first one is made now, which also opens the model. */
    static FreshStates ofDriver(Supplier<FirstState> first, TrainPlan plan, StateHome home) {
        FirstState made = first.get();
        return new FreshStates(first, made.index(), plan, home, null, made);
    }

    /**
     * Those that executors make by themselves. None is made here unless they cannot.
     *
     * @param index of the model's trained tensors
     */
    static FreshStates ofExecutors(Supplier<FirstState> first, ParameterIndex index, TrainPlan plan, StateHome home) {
        return new FreshStates(
                first,
                index,
                plan,
                home,
                new FirstValues(plan.seed(), plan.spec().precision()),
                null);
    }

    /** Where the trained tensors lie. */
    ParameterIndex index() {
        return index;
    }

    /** A State that is the caller's. */
    @Override
    public TrainState read() {
        FirstState state = ready == null ? first.get() : ready;
        ready = null;
        return TrainState.fresh(state.parameters(), index, plan.optimizer(), plan.seed(), home)
                .in(plan.spec().precision());
    }

    @Override
    public Optional<Recipe> recipe() {
        return Optional.ofNullable(recipe);
    }

    /** The run begins at {@code origin}: values that are ready for another would take memory until its end. */
    void forgetUnless(StateOrigin origin) {
        if (origin != this) {
            close();
        }
    }

    @Override
    public void close() {
        if (ready != null) {
            ready.close();
            ready = null;
        }
    }
}
