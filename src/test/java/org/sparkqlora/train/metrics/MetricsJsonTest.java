package org.sparkqlora.train.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;

class MetricsJsonTest {
    /** With every field that a line may have: none of them may be taken for a measure. */
    @Test
    void aStepIsReadBackWithTheMeasuresOfItsObjective() {
        StepMetrics taken = new StepMetrics(
                3,
                0.1,
                7,
                9,
                1e-5,
                OptionalDouble.of(2),
                OptionalDouble.of(0.5),
                StepSeconds.ZERO,
                Map.of("f1", 0.5, "rewards/chosen", -1.5, "eval_accuracy", 0.25),
                5);

        String line = MetricsJson.write(taken, OptionalDouble.of(4));

        assertThat(MetricsJson.read(line)).isEqualTo(taken);
        assertThat(MetricsJson.readEvaluation(line)).hasValue(4);
    }
}
