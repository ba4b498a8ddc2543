package org.sparkqlora.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.sparkqlora.train.metrics.Evaluated;

class EarlyStoppingTest {
    @Test
    void theLowestLossIsTheBestAndTheFirstOfEqualOnes() {
        EarlyStopping course = EarlyStopping.after(List.of(), 0);

        assertThat(course.add(new Evaluated(1, 3))).isTrue();
        assertThat(course.add(new Evaluated(2, 2))).isTrue();
        assertThat(course.add(new Evaluated(3, 2))).isFalse();
        assertThat(course.best()).contains(new Evaluated(2, 2));
        assertThat(course.isExhausted()).isFalse();
    }

    @Test
    void patienceEndsAfterSoManyEvaluationsWithoutABetterOne() {
        EarlyStopping course = EarlyStopping.after(List.of(new Evaluated(1, 3), new Evaluated(2, 4)), 2);

        assertThat(course.isExhausted()).isFalse();
        course.add(new Evaluated(3, 2.5));
        course.add(new Evaluated(4, 2.6));
        assertThat(course.isExhausted()).isFalse();
        course.add(new Evaluated(5, 2.5));
        assertThat(course.isExhausted()).isTrue();
    }

    @Test
    void aLossThatIsNoNumberIsNeverBetter() {
        EarlyStopping course = EarlyStopping.after(List.of(new Evaluated(1, 3)), 1);

        assertThat(course.add(new Evaluated(2, Double.NaN))).isFalse();
        assertThat(course.isExhausted()).isTrue();
    }

    @Test
    void aFirstLossThatIsNoNumberIsNotTheBest() {
        EarlyStopping course = EarlyStopping.after(List.of(), 0);

        assertThat(course.add(new Evaluated(1, Double.NaN))).isFalse();
        assertThat(course.add(new Evaluated(2, 4))).isTrue();
        assertThat(course.best()).contains(new Evaluated(2, 4));
    }
}
