package org.sparkqlora.model.generation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.offset;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.sparkqlora.data.GoldenJson;

/** The reference is transformers' logits warpers; {@code src/test/python/make_generation_goldens.py} made the file. */
class SamplingTest {
    /** The reference divides by the temperature in float32. */
    private static final double TOLERANCE = 1e-6;

    private static final int DRAWS = 20_000;

    /** Five standard deviations of a share of {@link #DRAWS}. */
    private static final double SHARE_TOLERANCE = 5 * Math.sqrt(0.25 / DRAWS);

    @Test
    void probabilitiesEqualTheReference() {
        for (JsonNode golden : GoldenJson.read("generation/distributions.json")) {
            Sampling sampling = new Sampling(
                    golden.get("temperature").asDouble(),
                    golden.get("top_k").asInt(),
                    golden.get("top_p").asDouble(),
                    1);
            double[] expected = doubles(golden.get("probabilities"));

            assertThat(sampling.probabilities(floats(golden.get("logits"))))
                    .containsExactly(expected, offset(TOLERANCE));
        }
    }

    @Test
    void tokensAreDrawnAsOftenAsTheyAreLikely() {
        Sampling sampling = new Sampling(1, 0, 1, 5);
        float[] logits = {0, 1, 2, Float.NEGATIVE_INFINITY};
        double[] expected = sampling.probabilities(logits);
        double[] shares = new double[logits.length];
        IntStream.range(0, DRAWS).forEach(place -> shares[sampling.choose(logits, place)] += 1.0 / DRAWS);

        assertThat(shares).containsExactly(expected, offset(SHARE_TOLERANCE));
    }

    @Test
    void chanceDependsOnSeedTextAndPlaceAlone() {
        float[] logits = new float[1000];
        int[] first = drawn(new Sampling(1, 0, 1, 5), logits);

        assertThat(drawn(new Sampling(1, 0, 1, 5), logits)).isEqualTo(first);
        assertThat(drawn(new Sampling(1, 0, 1, 6), logits)).isNotEqualTo(first);
        assertThat(drawn(new Sampling(1, 0, 1, 5).ofText(1), logits)).isNotEqualTo(first);
        assertThat(IntStream.of(first).distinct().count()).isGreaterThan(10);
    }

    @Test
    void temperatureZeroTakesTheLikeliest() {
        assertThat(Sampling.GREEDY.choose(new float[] {1, 3, 3, 2}, 0)).isEqualTo(1);
    }

    @Test
    void settingsThatMeanNothingAreRefused() {
        assertThatThrownBy(() -> new Sampling(-1, 0, 1, 0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("Cannot sample with temperature -1.0");
    }

    private static int[] drawn(Sampling sampling, float[] logits) {
        return IntStream.range(0, 20)
                .map(place -> sampling.choose(logits, place))
                .toArray();
    }

    private static double[] doubles(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false)
                .mapToDouble(JsonNode::asDouble)
                .toArray();
    }

    private static float[] floats(JsonNode array) {
        float[] values = new float[array.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) array.get(i).asDouble();
        }

        return values;
    }
}
