package org.sparkqlora.weights.family;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.withinPercentage;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LlamaSizesTest {
    /** A guess is as near as whole heads, layers and sixteens of the feed-forward width allow. */
    private static final double GUESS_PERCENT = 1;

    @ParameterizedTest(name = "{0}B")
    @CsvSource({
        "1.1, 1100048384",
        "3, 3426473600",
        "7, 6738415616",
        "13, 13015864320",
        "30, 32528943616",
        "33, 32528943616",
        "65, 65285660672",
        "70, 68976648192",
    })
    void publishedSizesHaveTheParametersOfThePublishedModels(double billions, long parameters) {
        assertThat(DecoderTensors.of(LlamaSizes.of(billions * 1e9)).elements()).isEqualTo(parameters);
    }

    @ParameterizedTest(name = "{0}B")
    @ValueSource(doubles = {0.5, 2, 5, 9.5, 20, 45, 100, 180, 405, 500})
    void guessesHaveAboutAsManyParametersAsAskedFor(double billions) {
        long parameters = DecoderTensors.of(LlamaSizes.of(billions * 1e9)).elements();

        assertThat((double) parameters).isCloseTo(billions * 1e9, withinPercentage(GUESS_PERCENT));
    }

    @Test
    void guessesLieBetweenTheSizesAroundThem() {
        ModelConfig guess = LlamaSizes.of(20e9);

        assertThat(guess.hiddenSize()).isBetween(5120, 6656);
        assertThat(guess.layers()).isBetween(40, 60);
        assertThat(guess.intermediateSize()).isBetween(13_824, 17_920);
    }

    @Test
    void sizesFarFromThePublishedOnesAreNotGuessed() {
        assertThatThrownBy(() -> LlamaSizes.of(10e6))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Cannot guess the shape of a model of 0.01B parameters: expected from 0.5B to 500B");
    }
}
