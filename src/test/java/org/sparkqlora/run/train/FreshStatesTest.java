package org.sparkqlora.run.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.sparkqlora.model.layout.ParameterIndex;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.run.model.FirstState;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.train.StateHome;
import org.sparkqlora.train.TrainFixture;
import org.sparkqlora.train.TrainState;

class FreshStatesTest {
    private final List<FlatVector> made = new ArrayList<>();

    @Test
    void theFirstValuesAreMadeOnceUntilTheyAreTaken() {
        try (Workers workers = new Workers(1);
                FreshStates fresh = fresh(workers);
                TrainState state = fresh.get();
                TrainState again = fresh.get()) {
            assertThat(made).hasSize(2);
            assertThat(state.parameters()).isSameAs(made.get(0));
            assertThat(again.parameters()).isSameAs(made.get(1));
        }
    }

    @Test
    void valuesThatARunWhichGoesOnDoesNotNeedAreMadeAgainWhereItBeginsAnew() {
        try (Workers workers = new Workers(1);
                FreshStates fresh = fresh(workers)) {
            fresh.forget();
            assertThat(fresh.index().size()).isEqualTo(3);
            assertThat(made).hasSize(1);
            try (TrainState state = fresh.get()) {
                assertThat(state.parameters()).isSameAs(made.get(1));
            }
        }
    }

    private FreshStates fresh(Workers workers) {
        return new FreshStates(
                this::first, TrainFixture.plan(TrainFixture.batches(1, 1, 1)), StateHome.inMemory(workers));
    }

    private FirstState first() {
        ParameterIndex.Builder index = ParameterIndex.builder();
        index.add("weight", 3);
        made.add(FlatVector.of(1, 2, 3));
        return new FirstState(index.build(), made.get(made.size() - 1));
    }
}
