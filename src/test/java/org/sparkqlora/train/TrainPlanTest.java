package org.sparkqlora.train;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.sparkqlora.objective.OddsRatio;
import org.sparkqlora.optim.DecayedTensors;
import org.sparkqlora.optim.OptimizerSpec;
import org.sparkqlora.optim.Schedule;
import org.sparkqlora.optim.ScheduleKind;

class TrainPlanTest {
    private static final TrainPlan PLAN = TrainFixture.plan(TrainFixture.batches(2, 4, 10));
    private static final OptimizerSpec NARROW = PLAN.optimizer().decaying(DecayedTensors.WITHOUT_NORMS_AND_BIASES);

    @Test
    void runOfAnEarlierVersionGoesOnWithTheDecayThatItWasBegunWith() {
        TrainPlan before = with(PLAN.optimizer(), schedule(1, 4));

        assertThat(with(NARROW, schedule(1, 4)).begunAs(before)).isEqualTo(before);
        assertThat(before.begunAs(with(NARROW, schedule(1, 4)))).isEqualTo(with(NARROW, schedule(1, 4)));
    }

    @Test
    void runOfAnEarlierVersionGoesOnWithTheWarmUpThatTookAllSteps() {
        TrainPlan before = with(PLAN.optimizer(), schedule(1, 1));

        assertThat(with(PLAN.optimizer(), schedule(0, 1)).begunAs(before)).isEqualTo(before);
    }

    @Test
    void runOfPairsOfAnEarlierVersionGoesOnWithAPassForEachPrompt() {
        TrainPlan now = PLAN.withObjective(new OddsRatio(0.1));
        String json = TrainPlanJson.write(now);
        TrainPlan before = TrainPlanJson.read(json.replace("\"shared_prompts\" : true", "\"shared_prompts\" : false"));

        assertThat(now.sharedPrompts()).isTrue();
        assertThat(TrainPlanJson.read(json)).isEqualTo(now);
        assertThat(before).isNotEqualTo(now);
        assertThat(TrainPlanJson.write(before)).doesNotContain("shared_prompts");
        assertThat(now.begunAs(before)).isEqualTo(before);
    }

    @Test
    void anotherWarmUpStaysAnotherPlan() {
        TrainPlan before = with(PLAN.optimizer(), schedule(2, 4));

        assertThat(with(PLAN.optimizer(), schedule(3, 4)).begunAs(before)).isNotEqualTo(before);
    }

    private static Schedule schedule(int warmup, int steps) {
        return new Schedule(ScheduleKind.CONSTANT, 1e-3, warmup, steps);
    }

    private static TrainPlan with(OptimizerSpec optimizer, Schedule schedule) {
        return new TrainPlan(
                PLAN.model(),
                PLAN.spec(),
                PLAN.initialAdapter(),
                PLAN.data(),
                PLAN.batches(),
                optimizer,
                schedule,
                PLAN.gradientDtype(),
                PLAN.maxGradientNorm(),
                PLAN.seed());
    }
}
