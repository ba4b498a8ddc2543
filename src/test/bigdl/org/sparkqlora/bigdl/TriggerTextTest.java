package org.sparkqlora.bigdl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.train.Trigger;
import org.sparkqlora.train.Trigger.Progress;

class TriggerTextTest {
    private static final int STEPS = 12;
    private static final int STEPS_OF_AN_EPOCH = 5;

    /** The loss of step n is 3 - n / 10. */
    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = ';',
            value = {
                "severalIteration(4); 4 8 12",
                "everyEpoch; 5 10",
                " or( everyEpoch , severalIteration(4) ); 4 5 8 10 12",
                "maxIteration(10); 10 11 12",
                "maxEpoch(2); 10 11 12",
                "minLoss(1.95); 11 12",
                "and(severalIteration(2), minLoss(2.25)); 8 10 12",
                "and(minLoss(2.25), everyEpoch); 10",
                "or(and(everyEpoch, maxIteration(6)), severalIteration(11), minLoss(1e-3)); 10 11"
            })
    void firesAfterTheseSteps(String text, String expected) {
        assertThat(fired(text, 0)).isEqualTo(expected);
    }

    @ParameterizedTest(name = "{0}")
    @ValueSource(strings = {"everyEpoch", "and(minLoss(2.25), everyEpoch)", "or(everyEpoch, severalIteration(4))"})
    void aRunThatGoesOnFiresAsOneThatWasNotInterrupted(String text) {
        for (int from = 1; from < STEPS; from++) {
            int begin = from;
            String later = List.of(fired(text, 0).split(" ", -1)).stream()
                    .filter(step -> Integer.parseInt(step) > begin)
                    .collect(Collectors.joining(" "));

            assertThat(fired(text, from)).isEqualTo(later);
        }
    }

    @ParameterizedTest(name = "{0}")
    @ValueSource(
            strings = {
                "", "never", "everyEpoch()", "severalIteration", "severalIteration(0)", "severalIteration(1.5)",
                "minLoss(x)", "and()", "and(everyEpoch", "and(everyEpoch,)", "everyEpoch everyEpoch", "or(everyEpoch))"
            })
    void saysWhatATriggerMayBe(String text) {
        assertThatThrownBy(() -> TriggerText.parse(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("Cannot read trigger '%s': expected everyEpoch, severalIteration(N)", text);
    }

    private static String fired(String text, int from) {
        Trigger trigger = TriggerText.parse(text);
        trigger.begin(progress(from, Double.POSITIVE_INFINITY));
        List<String> fired = new ArrayList<>();
        for (int step = from + 1; step <= STEPS; step++) {
            if (trigger.isNow(progress(step, 3 - step / 10.0))) {
                fired.add(String.valueOf(step));
            }
        }

        return String.join(" ", fired);
    }

    private static Progress progress(int step, double loss) {
        return new Progress(step, 1 + step / STEPS_OF_AN_EPOCH, loss);
    }
}
