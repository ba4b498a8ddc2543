package org.sparkqlora.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class TrainPlanJsonTest {
    private final TrainPlan plan = TrainFixture.plan(TrainFixture.batches(2, 4, 10));

    @Test
    void readsWhatItWrites() {
        assertThat(TrainPlanJson.read(TrainPlanJson.write(plan))).isEqualTo(plan);
    }

    @Test
    void namesWhatDiffersBetweenTwoPlans() {
        TrainPlan other = TrainFixture.plan(TrainFixture.batches(3, 4, 10));

        assertThat(TrainPlanJson.differences(plan, other)).containsExactly("batches.shards is 3, was 2");
        assertThat(TrainPlanJson.fingerprint(plan)).isNotEqualTo(TrainPlanJson.fingerprint(other));
    }

    @Test
    void refusesAKeyItDoesNotKnow() {
        String json = TrainPlanJson.write(plan).replaceFirst("\\{", "{ \"speed\": 3,");

        assertThatThrownBy(() -> TrainPlanJson.read(json))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Cannot read a plan: unknown key 'speed'");
    }

    @Test
    void refusesAPlanWithoutASeed() {
        String json = TrainPlanJson.write(plan).replace("\"seed\" : 42", "\"seed\" : null");

        assertThatThrownBy(() -> TrainPlanJson.read(json))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Cannot read a plan: expected a value for 'seed', found none");
    }
}
