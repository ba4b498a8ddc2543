package org.sparkqlora.options;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sparkqlora.objective.ObjectiveKind;

class UpdateOptionsTest {
    private final UpdateOptions options = new UpdateOptions();

    @ParameterizedTest(name = "a ratio of {0} of {1} steps is {2}")
    @CsvSource({"0.03, 100, 3", "0.03, 34, 2", "0.03, 2, 1", "0.5, 3, 2", "0.03, 1, 0", "1, 4, 3", "0, 4, 0"})
    void warmUpIsTheShareOfTheStepsRoundedUpAndNeverAllOfThem(double ratio, int steps, int warmup) {
        options.warmupRatio = ratio;

        assertThat(options.schedule(steps, ObjectiveKind.SFT).warmupSteps()).isEqualTo(warmup);
    }

    @Test
    void onlyStepHasTheRateThatWasAskedFor() {
        assertThat(options.schedule(1, ObjectiveKind.SFT).learningRate(0)).isEqualTo(2e-4);
        assertThat(options.schedule(1, ObjectiveKind.KTO).learningRate(0)).isEqualTo(5e-6);
        assertThat(warnings(1)).isEmpty();
    }

    @Test
    void fewStepsOfWhichOneChangesNothingAreToldOf() {
        assertThat(warnings(2))
                .isEqualTo("warning: 1 of 2 steps has learning rate 0, with which the warm-up begins, and changes"
                        + " nothing: --warmup-ratio 0 is without a warm-up\n");
        assertThat(warnings(11)).isEmpty();
        options.warmupRatio = 0;
        assertThat(warnings(2)).isEmpty();
    }

    @Test
    void warmUpThatIsCutIsToldOf() {
        options.warmupSteps = 20;

        assertThat(options.schedule(12, ObjectiveKind.SFT).warmupSteps()).isEqualTo(11);
        assertThat(warnings(12)).isEqualTo("warning: the warm-up takes 11 of 12 steps, not 20: it never takes all\n");
    }

    private String warnings(int steps) {
        ByteArrayOutputStream told = new ByteArrayOutputStream();
        PrintStream print = new PrintStream(told, true, StandardCharsets.UTF_8);
        options.warn(steps, Console.log(print, print));
        return told.toString(StandardCharsets.UTF_8);
    }
}
