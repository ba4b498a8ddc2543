package org.sparkqlora.options;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.OptionalLong;
import java.util.function.ToLongFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.sparkqlora.model.Recompute;

class RecomputeChoiceTest {
    private static final ToLongFunction<Recompute> BYTES = recompute -> switch (recompute) {
        case OFFLOAD -> 6;
        case ALL -> 10;
        case ATTENTION -> 20;
        case NONE -> 30;
    };

    @ParameterizedTest
    @CsvSource({"31, NONE", "30, NONE", "29, ATTENTION", "20, ATTENTION", "19, ALL", "9, OFFLOAD", "5, ALL"})
    void autoIsTheQuickestThatFits(long room, Recompute expected) {
        assertThat(RecomputeChoice.parse("auto").within(OptionalLong.of(room), BYTES))
                .isEqualTo(expected);
    }

    @Test
    void autoTakesTheLeastWhereNothingIsKnown() {
        assertThat(RecomputeChoice.AUTO.within(OptionalLong.empty(), BYTES)).isEqualTo(Recompute.ALL);
        assertThat(RecomputeChoice.AUTO.planned()).isEqualTo(Recompute.ALL);
    }

    @ParameterizedTest
    @EnumSource
    void whatIsAskedForIsTaken(Recompute recompute) {
        RecomputeChoice asked = RecomputeChoice.parse(RecomputeChoice.label(recompute));

        assertThat(asked.within(OptionalLong.of(0), BYTES)).isEqualTo(recompute);
        assertThat(asked.planned()).isEqualTo(recompute);
    }

    @Test
    void anyOtherWordIsRefused() {
        assertThatThrownBy(() -> RecomputeChoice.parse("some"))
                .hasMessage("Unsupported choice 'some': expected one of auto, offload, all, attention, none");
    }
}
