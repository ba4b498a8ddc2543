package org.sparkqlora.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.sparkqlora.train.metrics.Evaluated;

class EarlyStoppingTest {
    @Test
    void theLowestLossIsTheBestAndTheFirstOfEqualOnes() {
        EarlyStopping stopping = EarlyStopping.after(List.of(), 0);

        assertThat(stopping.add(new Evaluated(1, 3))).isTrue();
        assertThat(stopping.add(new Evaluated(2, 2))).isTrue();
        assertThat(stopping.add(new Evaluated(3, 2))).isFalse();
        assertThat(stopping.best()).contains(new Evaluated(2, 2));
        assertThat(stopping.isExhausted()).isFalse();
    }

    @Test
    void patienceEndsAfterSoManyEvaluationsWithoutABetterOne() {
        EarlyStopping stopping = EarlyStopping.after(List.of(new Evaluated(1, 3), new Evaluated(2, 4)), 2);

        assertThat(stopping.isExhausted()).isFalse();
        stopping.add(new Evaluated(3, 2.5));
        stopping.add(new Evaluated(4, 2.6));
        assertThat(stopping.isExhausted()).isFalse();
        stopping.add(new Evaluated(5, 2.5));
        assertThat(stopping.isExhausted()).isTrue();
    }

    @Test
    void aLossThatIsNoNumberIsNeverBetter() {
        EarlyStopping stopping = EarlyStopping.after(List.of(new Evaluated(1, 3)), 1);

        assertThat(stopping.add(new Evaluated(2, Double.NaN))).isFalse();
        assertThat(stopping.isExhausted()).isTrue();
    }

    @Test
    void aFirstLossThatIsNoNumberIsNotTheBest() {
        EarlyStopping stopping = EarlyStopping.after(List.of(), 0);

        assertThat(stopping.add(new Evaluated(1, Double.NaN))).isFalse();
        assertThat(stopping.add(new Evaluated(2, 4))).isTrue();
        assertThat(stopping.best()).contains(new Evaluated(2, 4));
    }
}
