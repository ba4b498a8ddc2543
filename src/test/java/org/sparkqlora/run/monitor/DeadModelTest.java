package org.sparkqlora.run.monitor;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.sparkqlora.train.metrics.StepMetrics;
import org.sparkqlora.train.metrics.StepSeconds;

class DeadModelTest {
    private static final int VOCABULARY = 1000; // chance is 6.9078
    private static final int STEPS = 5;

    private final List<String> told = new ArrayList<>();
    private final DeadModel watch = new DeadModel(VOCABULARY, told::add);

    @BeforeEach
    void start() {
        watch.started(0, STEPS);
    }

    @Test
    void modelThatComesBackToChanceIsToldOfOnce() {
        losses(5, 4, 7.5, 8);

        assertThat(told)
                .containsExactly(
                        "warning: the loss of step 3 is 7.5000, and chance alone gives 6.9078 (ln of the vocabulary):"
                                + " the model predicts nothing. Is the learning rate too high, or are weights and tokenizer of two models?");
    }

    @Test
    void modelThatHasLearnedNothingYetIsToldOfAtTheEnd() {
        losses(8, 7.5, 7.2, 7.1);
        assertThat(told).isEmpty();

        step(5, 7);
        assertThat(told).hasSize(1).allMatch(line -> line.contains("the loss of step 5 is 7.0000"));
    }

    @Test
    void modelThatHoversAboutChanceAtFirstIsNotToldOf() {
        losses(6.90, 6.91, 6.90, 6.92, 6.5);

        assertThat(told).isEmpty();
    }

    @Test
    void modelThatLearnsIsNotToldOf() {
        losses(8, 7, 6, 5, 4);
        watch.evaluated(5, 6.9);

        assertThat(told).isEmpty();
    }

    @Test
    void evaluationAtChanceOrOfNoNumberIsToldOf() {
        watch.evaluated(2, Double.NaN);

        assertThat(told).hasSize(1).allMatch(line -> line.contains("the held-out loss of step 2 is NaN"));
    }

    private void losses(double... losses) {
        for (int i = 0; i < losses.length; i++) {
            step(i + 1, losses[i]);
        }
    }

    private void step(long step, double loss) {
        OptionalDouble none = OptionalDouble.empty();
        watch.stepDone(new StepMetrics(step, loss, 1, 1, 1e-3, none, none, StepSeconds.ZERO, Map.of(), 0));
    }
}
