package org.sparkqlora.model.experts;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sparkqlora.weights.family.Mixture;

/** The experts of tokens, their weights, and gradients beside finite differences. */
class RoutingTest {
    private static final int TOKENS = 7;
    private static final int EXPERTS = 5;
    private static final float STEP = 1e-2f;

    /** Of float32 weights and steps of 1e-2, whose second difference is below 1e-4 of slopes up to 1. */
    private static final Offset<Float> OF_DIFFERENCES = within(2e-4f);

    private static final Offset<Float> OF_FLOATS = within(1e-6f);

    private static float[] random(long seed, int count) {
        SplittableRandom random = new SplittableRandom(seed);
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextDouble(-2, 2);
        }

        return values;
    }

    @Test
    void aTokenGoesToTheExpertsOfItsLargestLogits() {
        Routing routing = new Routing(new float[] {0, 3, 1, 2, -1, 5, 5, 4, 5, 0}, 2, new Mixture(EXPERTS, 2, 8, true));

        Routing.Share[] shares = routing.shares();
        assertThat(shares[1].tokens()).containsExactly(0, 1);
        assertThat(shares[3].tokens()).containsExactly(0);
        assertThat(shares[0].tokens()).as("the first of equal ones").containsExactly(1);
        assertThat(routing.counts()).containsExactly(1, 2, 0, 1, 0);
        float larger = (float) (1 / (1 + Math.exp(-1)));
        assertThat(shares[1].weights(4)).containsExactly(new float[] {larger, 0.5f, 0, 0}, OF_FLOATS);
    }

    @Test
    void weightsThatAreNotNormalisedAreProbabilitiesOfAll() {
        Routing routing = new Routing(new float[] {1, 0, 2}, 1, new Mixture(3, 1, 8, false));

        double all = Math.exp(1) + 1 + Math.exp(2);
        assertThat(routing.shares()[2].weights(1)[0]).isEqualTo((float) (Math.exp(2) / all), OF_FLOATS);
    }

    @ParameterizedTest
    @CsvSource({"true, 2, 1", "true, 3, 2", "false, 2, 3", "false, 1, 4", "true, 5, 5"})
    void gradientsOfLogitsAreThoseOfDifferences(boolean normalized, int perToken, long seed) {
        Mixture mixture = new Mixture(EXPERTS, perToken, 8, normalized);
        float[] logits = random(seed, TOKENS * EXPERTS);
        float[] onWeights = random(seed + 1, TOKENS * EXPERTS);
        double[] onProbabilities =
                IntStream.range(0, EXPERTS).mapToDouble(e -> 0.3 * e - 0.5).toArray();
        Routing routing = new Routing(logits, TOKENS, mixture);
        float[] given = routing.weightGradients();
        for (Routing.Share share : routing.shares()) {
            float[] own = new float[share.size()];
            long[] tokens = share.tokens();
            for (int i = 0; i < own.length; i++) {
                own[i] = onWeights[(int) tokens[i] * EXPERTS + share.expert()];
            }

            share.scatter(own, given);
        }

        float[] gradients = routing.logitGradients(given, onProbabilities, TOKENS + 2);

        assertThat(gradients).hasSize((TOKENS + 2) * EXPERTS);
        for (int i = 0; i < logits.length; i++) {
            double above = loss(moved(logits, i, STEP), mixture, routing, onWeights, onProbabilities);
            double below = loss(moved(logits, i, -STEP), mixture, routing, onWeights, onProbabilities);
            assertThat(gradients[i]).isEqualTo((float) ((above - below) / (2 * STEP)), OF_DIFFERENCES);
        }
    }

    private static float[] moved(float[] logits, int at, float by) {
        float[] moved = logits.clone();
        moved[at] += by;
        return moved;
    }

    /** In float64, of the experts that {@code chosen} has. */
    private static double loss(
            float[] logits, Mixture mixture, Routing chosen, float[] onWeights, double[] onProbabilities) {
        double loss = 0;
        boolean[][] isChosen = new boolean[TOKENS][EXPERTS];
        for (Routing.Share share : chosen.shares()) {
            for (long token : share.tokens()) {
                isChosen[(int) token][share.expert()] = true;
            }
        }

        for (int token = 0; token < TOKENS; token++) {
            double all = 0;
            double some = 0;
            for (int expert = 0; expert < EXPERTS; expert++) {
                double value = Math.exp(logits[token * EXPERTS + expert]);
                all += value;
                some += isChosen[token][expert] ? value : 0;
            }

            for (int expert = 0; expert < EXPERTS; expert++) {
                double value = Math.exp(logits[token * EXPERTS + expert]);
                loss += onProbabilities[expert] * value / all;
                if (isChosen[token][expert]) {
                    loss += onWeights[token * EXPERTS + expert] * value / (mixture.normalized() ? some : all);
                }
            }
        }

        return loss;
    }
}
