package org.sparkqlora.train;

import static org.assertj.core.api.Assertions.assertThat;

import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;

@NullMarked
class ClippedUpdateTest {
    @Test
    void gradientsWithinTheBoundAreLeftAlone() {
        assertThat(ClippedUpdate.clip(0.5, 1)).isEqualTo(1);
        assertThat(ClippedUpdate.clip(0, 1)).isEqualTo(1);
    }

    @Test
    void longerGradientsAreShortenedAsTorchDoes() {
        assertThat(ClippedUpdate.clip(4, 1)).isEqualTo(1 / (4 + 1e-6));
    }

    @Test
    void aBoundOfZeroTurnsClippingOff() {
        assertThat(ClippedUpdate.clip(1e9, 0)).isEqualTo(1);
    }

    @Test
    void aNormThatIsNoNumberStaysVisible() {
        assertThat(ClippedUpdate.clip(Double.NaN, 1)).isNaN();
    }
}
