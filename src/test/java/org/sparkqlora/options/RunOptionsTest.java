package org.sparkqlora.options;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.sparkqlora.train.TrainTriggers;
import org.sparkqlora.train.Trigger;

class RunOptionsTest {
    private final RunOptions options = new RunOptions();

    /** A person may give the largest number there is for never. */
    @Test
    void triggersWaitForTheEndOfARoundHoweverFarItIs() {
        options.localSteps = 4;
        options.checkpointEvery = 5;
        options.evaluateEvery = Integer.MAX_VALUE;

        TrainTriggers triggers = options.triggers(true, 0);

        assertThat(triggers.checkpoint().isNow(new Trigger.Progress(4, 1, 1))).isFalse();
        assertThat(triggers.checkpoint().isNow(new Trigger.Progress(8, 1, 1))).isTrue();
        assertThat(triggers.evaluate().orElseThrow().isNow(new Trigger.Progress(8, 1, 1)))
                .isFalse();
    }

    @Test
    void nothingTriggersAnEvaluationOfNothing() {
        assertThat(options.triggers(false, 0).evaluate()).isEmpty();
    }
}
