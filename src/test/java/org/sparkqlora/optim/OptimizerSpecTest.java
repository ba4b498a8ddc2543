package org.sparkqlora.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@NullMarked
class OptimizerSpecTest {
    @ParameterizedTest
    @EnumSource(OptimizerKind.class)
    void kindsAreFoundByTheirNames(OptimizerKind kind) {
        assertThat(OptimizerKind.parse(kind.optionName())).isEqualTo(kind);
        assertThat(kind.paged()).isEqualTo(kind.optionName().startsWith("paged_"));
        assertThat(kind.eightBit()).isEqualTo(kind.optionName().endsWith("_8bit"));
        assertThat("paged_" + kind.unpaged().optionName()).endsWith(kind.optionName());
    }

    @Test
    void refusesUnknownKindsAndListsTheKnownOnes() {
        assertThatThrownBy(() -> OptimizerKind.parse("adam"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Cannot use optimizer 'adam': expected one of adamw, adamw_8bit, paged_adamw, "
                        + "paged_adamw_8bit, lion, lion_8bit, paged_lion, paged_lion_8bit, sgd");
    }

    @Test
    void refusesADecayThatNeverForgets() {
        assertThatThrownBy(() -> new OptimizerSpec(OptimizerKind.ADAMW, 0.9, 1, 1e-8, 0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Cannot optimise with beta2 1.0: expected a number from 0 to below 1");
    }

    @Test
    void refusesANegativeWeightDecay() {
        assertThatThrownBy(() -> new OptimizerSpec(OptimizerKind.ADAMW, 0.9, 0.999, 1e-8, -0.1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Cannot optimise with weight decay -0.1: expected a finite number, 0 or more");
    }
}
