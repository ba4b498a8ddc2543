package org.sparkqlora.optim;

import static org.assertj.core.api.Assertions.assertThat;

import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;

@NullMarked
class GradientClipTest {
    @Test
    void gradientsWithinTheBoundAreLeftAlone() {
        assertThat(GradientClip.factor(0.5, 1)).isEqualTo(1);
        assertThat(GradientClip.factor(0, 1)).isEqualTo(1);
    }

    @Test
    void longerGradientsAreShortenedAsTorchDoes() {
        assertThat(GradientClip.factor(4, 1)).isEqualTo(1 / (4 + 1e-6));
    }

    @Test
    void aBoundOfZeroTurnsClippingOff() {
        assertThat(GradientClip.factor(1e9, 0)).isEqualTo(1);
    }

    @Test
    void aNormThatIsNoNumberStaysVisible() {
        assertThat(GradientClip.factor(Double.NaN, 1)).isNaN();
    }
}
