package org.sparkqlora.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

@NullMarked
class ScheduleTest {
    /** Rates are near 1e-4, so this is a float64 rounding or two. */
    private static final double ROUNDING = 1e-12;

    static List<ScheduleGoldenJson.Table> tables() {
        return ScheduleGoldenJson.read();
    }

    @ParameterizedTest
    @MethodSource("tables")
    void ratesAreThoseOfTransformers(ScheduleGoldenJson.Table table) {
        Schedule schedule = new Schedule(kind(table), table.base(), table.warmupSteps(), table.steps());
        for (int update = 0; update < table.rates().size(); update++) {
            assertThat(schedule.learningRate(update))
                    .as("rate of update %d", update)
                    .isCloseTo(table.rates().get(update), within(ROUNDING));
        }
    }

    /** Our constant schedule always warms up, theirs only under its longer name. */
    private static ScheduleKind kind(ScheduleGoldenJson.Table table) {
        return ScheduleKind.parse(table.name().replace("_with_warmup", ""));
    }

    @ParameterizedTest
    @EnumSource(ScheduleKind.class)
    void aRunThatIsAllWarmUpHasARateForEveryUpdate(ScheduleKind kind) {
        Schedule schedule = new Schedule(kind, 1e-3, 5, 5);

        assertThat(schedule.learningRate(4)).isCloseTo(8e-4, within(ROUNDING));
        assertThat(schedule.learningRate(5)).isEqualTo(1e-3);
    }

    @ParameterizedTest
    @EnumSource(ScheduleKind.class)
    void kindsAreFoundByTheirNames(ScheduleKind kind) {
        assertThat(ScheduleKind.parse(kind.optionName())).isEqualTo(kind);
    }

    @Test
    void refusesUnknownKinds() {
        assertThatThrownBy(() -> ScheduleKind.parse("step"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Cannot use schedule 'step': expected constant, linear or cosine");
    }

    @Test
    void refusesRatesThatAreNoNumbers() {
        assertThatThrownBy(() -> new Schedule(ScheduleKind.LINEAR, Double.NaN, 0, 10))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Cannot schedule from rate NaN: expected a finite number, 0 or more");
    }

    @Test
    void refusesNegativeSteps() {
        assertThatThrownBy(() -> new Schedule(ScheduleKind.LINEAR, 1e-3, -1, 10))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Cannot schedule 10 steps with -1 to warm up: both must be 0 or more");
    }
}
