package org.sparkqlora.objective;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.sparkqlora.model.loss.AnswerLoss;
import org.sparkqlora.model.loss.AnswerLoss.Answers;
import org.sparkqlora.model.loss.LossTotal.Measures;
import org.sparkqlora.objective.DirectPreference.Weighted;

/** The derivatives that objectives give the model, beside finite differences of their losses. */
class ObjectiveDerivativesTest {
    private static final float STEP = 1f / 64;

    /** Of a central difference with that step, of losses whose third derivatives are of the order of 1. */
    private static final double TOLERANCE = 2e-3;

    static Stream<AnswerObjective> objectives() {
        return Stream.concat(
                Stream.of(DpoLoss.values()).map(loss -> dpo(loss.optionName(), null)),
                Stream.of(
                        dpo("sft", null),
                        dpo("sigmoid", 0.5),
                        new KahnemanTversky(UnpairedLoss.KTO, 0.7, 1.2, 0.8, Reference.BASE),
                        new KahnemanTversky(UnpairedLoss.APO_ZERO_UNPAIRED, 0.7, 1.2, 0.8, Reference.BASE),
                        new OddsRatio(0.7),
                        ContrastivePreference.cpo(0.7, 0.1, 0.5),
                        ContrastivePreference.simpo(0.7, 0.4, 0.1, 0.5)));
    }

    private static DirectPreference dpo(String loss, @Nullable Double ldAlpha) {
        return new DirectPreference(List.of(new Weighted(loss, 1.5)), 0.7, 0.1, ldAlpha, Reference.BASE);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("objectives")
    void derivativesEqualFiniteDifferences(AnswerObjective objective) {
        AnswerLoss loss = objective.loss(new Measures.Builder()
                .add("kl", 0.3)
                .add("chosen tokens of pairs", new Measures.Sum(21, 4))
                .build());
        Answers answers = answers(3);
        float[] weights = new float[answers.losses().length];

        loss.of(answers, weights);

        for (int i = 0; i < weights.length; i++) {
            double slope = (value(loss, answers, i, STEP) - value(loss, answers, i, -STEP)) / (2 * STEP);
            assertThat((double) weights[i]).as("token %d", i).isCloseTo(slope, within(TOLERANCE));
        }
    }

    private static double value(AnswerLoss loss, Answers answers, int token, float change) {
        float[] moved = answers.losses().clone();
        moved[token] += change;
        return loss.of(
                        new Answers(
                                moved,
                                answers.reference(),
                                answers.starts(),
                                answers.prompts(),
                                answers.values(),
                                null),
                        new float[moved.length])
                .lossSum();
    }

    /** Two pairs, each chosen document with a prompt that is predicted. */
    private static Answers answers(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        int[] starts = {0, 5, 8, 15, 20};
        float[] losses = new float[starts[4]];
        float[] reference = new float[losses.length];
        for (int i = 0; i < losses.length; i++) {
            losses[i] = 0.5f + (float) random.nextDouble();
            reference[i] = losses[i] + (float) random.nextDouble() - 0.6f;
        }

        return new Answers(losses, reference, starts, new int[] {2, 0, 3, 0}, new double[] {1, 0, 1, 0}, null);
    }
}
