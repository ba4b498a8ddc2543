package org.sparkqlora.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalDouble;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.model.GoldenModel.Mode;
import org.sparkqlora.model.loss.AnswerLoss;
import org.sparkqlora.model.loss.AnswerLoss.Answers;
import org.sparkqlora.model.loss.AnswerLoss.Predicted;
import org.sparkqlora.model.loss.LossTotal;
import org.sparkqlora.model.loss.LossTotal.Measures;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.tokenizer.EncodedExample;
import org.sparkqlora.tokenizer.packing.TokenRow;
import org.sparkqlora.weights.WeightFolder;

/** Pairs whose prompt passes once, in float32, beside the same pairs whose prompt passes for either answer. */
class SharedPromptTest {
    /** Of a token's loss near 7, which has steps of 5e-7: products of other shapes are added in other orders. */
    private static final double LOSS_TOLERANCE = 1e-5;

    /** Difference of a gradient as a share of the largest, for the same reason. */
    private static final double GRADIENT_TOLERANCE = 2e-5;

    /** More than a window, and more than a block of queries, sees. */
    private static final int LONG_PROMPT = 300;

    @TempDir
    private static Path cache;

    static Stream<String> families() {
        return GoldenModel.FAMILIES.stream();
    }

    @ParameterizedTest
    @MethodSource("families")
    void lossesAndGradientsAreThoseOfWholePairs(String name) {
        GoldenModel golden = new GoldenModel(name);
        try (WeightFolder weights = golden.weights(Mode.LORA, cache);
                DecoderModel model = LoadedModel.of(weights, golden.spec(Mode.LORA), 1);
                BoundParameters parameters = model.bind(golden.adapter(model.parameters()))) {
            if (!model.canSharePrompts()) {
                assertThat(model.config().traits().deltaNet()).isPresent();
                return;
            }

            List<TokenRow> whole = List.of(pairs(model, 2, 40), pairs(model, 1, LONG_PROMPT));
            List<TokenRow> shared = whole.stream().map(TokenRow::inPairs).toList();

            for (Predicted predicted : Predicted.values()) {
                assertSame(
                        model.answers(parameters, null, shared, predicted),
                        model.answers(parameters, null, whole, predicted));
                assertSame(
                        gradient(model, parameters, shared, predicted), gradient(model, parameters, whole, predicted));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {5, DocumentBatch.LEAST_SHARED, 40})
    void promptPassesOnceWhereItIsLongEnough(int prompt) {
        int answer = 4;
        int[] ids = new SplittableRandom(2).ints(prompt + answer, 1, 90).toArray();
        int[] other = ids.clone();
        other[prompt] = 91;
        TokenRow pair = TokenRow.of(List.of(example(ids, prompt), example(other, prompt)), 100);

        int passed = new DocumentBatch(List.of(pair.inPairs())).tokens();

        boolean shares = prompt - 1 >= DocumentBatch.LEAST_SHARED;
        assertThat(passed).isEqualTo(shares ? prompt + answer + 1 + answer : pair.length());
    }

    @ParameterizedTest
    @ValueSource(strings = {"llama-tied", "gemma2", "mistral-window"})
    void anAnswerDoesNotSeeTheOther(String name) {
        GoldenModel golden = new GoldenModel(name);
        try (WeightFolder weights = golden.weights(Mode.LORA, cache);
                DecoderModel model = LoadedModel.of(weights, golden.spec(Mode.LORA), 1);
                BoundParameters parameters = model.bind(golden.adapter(model.parameters()))) {
            TokenRow pair = pairs(model, 1, 40).inPairs();
            int[] ids = pair.ids().clone();
            int lastOfChosen = pair.documents().get(0).to() - 1;
            ids[lastOfChosen] = (ids[lastOfChosen] + 1) % model.config().vocabularySize();
            TokenRow changed = new TokenRow(ids, pair.trained(), pair.starts(), pair.length()).inPairs();

            Answers before = model.answers(parameters, null, List.of(pair), Predicted.TRAINED);
            Answers after = model.answers(parameters, null, List.of(changed), Predicted.TRAINED);

            assertThat(rejected(after)).containsExactly(rejected(before));
            assertThat(after.losses()).isNotEqualTo(before.losses());
        }
    }

    private static float[] rejected(Answers answers) {
        return Arrays.copyOfRange(answers.losses(), answers.from(1), answers.to(1));
    }

    private static void assertSame(Answers found, Answers expected) {
        assertThat(found.starts()).containsExactly(expected.starts());
        assertThat(found.prompts()).containsExactly(expected.prompts());
        for (int i = 0; i < expected.losses().length; i++) {
            assertThat((double) found.losses()[i])
                    .as("token %d", i)
                    .isCloseTo(expected.losses()[i], within(LOSS_TOLERANCE));
        }
    }

    private static void assertSame(FlatVector found, FlatVector expected) {
        double largest = 0;
        for (long i = 0; i < expected.length(); i++) {
            largest = Math.max(largest, Math.abs(expected.get(i)));
        }

        assertThat(largest).isPositive();
        for (long i = 0; i < expected.length(); i++) {
            assertThat((double) found.get(i))
                    .as("element %d", i)
                    .isCloseTo(expected.get(i), within(GRADIENT_TOLERANCE * largest));
        }
    }

    private static FlatVector gradient(
            DecoderModel model, BoundParameters parameters, List<TokenRow> rows, Predicted predicted) {
        FlatVector gradient = FlatVector.zeros(model.parameters().size());
        model.addGradients(
                parameters,
                List.of(new MicroBatch(rows, 0)),
                gradient,
                OptionalDouble.empty(),
                new Alternating(predicted),
                null);
        return gradient;
    }

    /** A chosen answer's tokens count for, a rejected one's against. */
    private record Alternating(Predicted predicted) implements AnswerLoss {
        @Override
        public LossTotal of(Answers answers, float[] weights) {
            for (int d = 0; d < answers.documents(); d++) {
                Arrays.fill(weights, answers.from(d), answers.to(d), d % 2 == 0 ? 1 : -0.7f);
            }

            return new LossTotal(0, answers.documents(), answers.losses().length, Measures.NONE);
        }
    }

    private static TokenRow pairs(DecoderModel model, int count, int prompt) {
        SplittableRandom random = new SplittableRandom(count);
        List<EncodedExample> documents = new ArrayList<>();
        for (int pair = 0; pair < count; pair++) {
            int[] prompted = ids(model, random, prompt + pair);
            documents.add(example(joined(prompted, ids(model, random, random.nextInt(3, 20))), prompted.length));
            documents.add(example(joined(prompted, ids(model, random, random.nextInt(3, 20))), prompted.length));
        }

        return TokenRow.of(documents, 4 * (LONG_PROMPT + 20) * 2);
    }

    private static int[] ids(DecoderModel model, SplittableRandom random, int count) {
        return random.ints(count, 0, model.config().vocabularySize()).toArray();
    }

    private static int[] joined(int[] prompt, int[] answer) {
        int[] all = Arrays.copyOf(prompt, prompt.length + answer.length);
        System.arraycopy(answer, 0, all, prompt.length, answer.length);
        return all;
    }

    private static EncodedExample example(int[] ids, int prompt) {
        boolean[] trained = new boolean[ids.length];
        Arrays.fill(trained, prompt, ids.length, true);
        return new EncodedExample(ids, trained);
    }
}
