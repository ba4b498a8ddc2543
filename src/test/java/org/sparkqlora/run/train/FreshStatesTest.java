package org.sparkqlora.run.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.sparkqlora.model.layout.ParameterIndex;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.run.model.FirstState;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.train.BigramModel;
import org.sparkqlora.train.StateHome;
import org.sparkqlora.train.StateOrigin;
import org.sparkqlora.train.TrainFixture;
import org.sparkqlora.train.TrainPlan;
import org.sparkqlora.train.TrainState;

class FreshStatesTest {
    private static final TrainPlan PLAN = TrainFixture.plan(TrainFixture.batches(1, 1, 1));

    private final List<FlatVector> made = new ArrayList<>();

    @Test
    void theFirstValuesAreMadeOnceUntilTheyAreTaken() {
        try (Workers workers = new Workers(1);
                FreshStates fresh = ofDriver(workers)) {
            fresh.forgetUnless(fresh);
            try (TrainState state = fresh.read();
                    TrainState again = fresh.read()) {
                assertThat(made).hasSize(2);
                assertThat(state.parameters()).isSameAs(made.get(0));
                assertThat(again.parameters()).isSameAs(made.get(1));
            }
        }
    }

    @Test
    void valuesThatARunWhichGoesOnDoesNotNeedAreMadeAgainWhereItBeginsAnew() {
        StateOrigin ofCheckpoint = () -> {
            throw new IllegalStateException("nobody reads it");
        };
        try (Workers workers = new Workers(1);
                FreshStates fresh = ofDriver(workers)) {
            fresh.forgetUnless(ofCheckpoint);
            assertThat(fresh.index().size()).isEqualTo(3);
            assertThat(made).hasSize(1);
            try (TrainState state = fresh.read()) {
                assertThat(state.parameters()).isSameAs(made.get(1));
            }
        }
    }

    @Test
    void thoseOfTheDriverHaveNoRecipe() {
        try (Workers workers = new Workers(1);
                FreshStates fresh = ofDriver(workers)) {
            assertThat(fresh.recipe()).isEmpty();
        }
    }

    @Test
    void executorsMakeTheStateThatTheDriverDoesNot() {
        BigramModel model = new BigramModel();
        try (Workers workers = new Workers(1);
                FreshStates fresh =
                        FreshStates.ofExecutors(this::first, model.parameters(), PLAN, StateHome.inMemory(workers));
                TrainState state = fresh.recipe()
                        .orElseThrow()
                        .make(model, PLAN.optimizer(), StateHome.inMemory(workers), files -> {
                            throw new IllegalStateException("there is no checkpoint");
                        });
                TrainState expected = TrainFixture.freshState(PLAN, model)) {
            assertThat(made).isEmpty();
            assertThat(fresh.index()).isSameAs(model.parameters());
            assertThat(TrainFixture.bytes(state)).isEqualTo(TrainFixture.bytes(expected));
        }
    }

    private FreshStates ofDriver(Workers workers) {
        return FreshStates.ofDriver(this::first, PLAN, StateHome.inMemory(workers));
    }

    private FirstState first() {
        ParameterIndex.Builder index = ParameterIndex.builder();
        index.add("weight", 3);
        made.add(FlatVector.of(1, 2, 3));
        return new FirstState(index.build(), made.get(made.size() - 1));
    }
}
