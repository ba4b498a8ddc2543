package org.sparkqlora.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.model.GoldenModel.Mode;
import org.sparkqlora.model.generation.GenerationSpec;
import org.sparkqlora.model.generation.PromptedText;
import org.sparkqlora.model.generation.Sampling;
import org.sparkqlora.model.generation.TokenLosses;
import org.sparkqlora.tokenizer.packing.TokenRow;
import org.sparkqlora.weights.WeightFolder;

/** The losses of texts while they grow, beside those that training would have of the whole texts. */
class AnswerLossTest {
    /** Of a sum over {@value #NEW_TOKENS} tokens, whose logits are summed in another order. */
    private static final double TOLERANCE = 1e-3;

    private static final int NEW_TOKENS = 14;
    private static final int TEXTS = 12;

    @TempDir
    private Path cache;

    @ParameterizedTest(name = "{0}")
    @ValueSource(strings = {"llama-tied", "gemma2", "granite", "qwen3_5_text"})
    void lossesAreThoseOfTheWholeTextsWhateverTheTemperature(String name) {
        GoldenModel golden = new GoldenModel(name);
        try (WeightFolder weights = golden.weights(Mode.QLORA, cache);
                DecoderModel model = LoadedModel.of(weights, golden.spec(Mode.QLORA), 2);
                BoundParameters parameters = model.bind(golden.adapter(model.parameters()))) {
            List<TokenLosses> losses =
                    IntStream.range(0, TEXTS).mapToObj(i -> new TokenLosses()).toList();
            int end = greedy(model, parameters)[NEW_TOKENS / 2];
            List<PromptedText> texts = IntStream.range(0, TEXTS)
                    .mapToObj(i -> text(i, end, model.config().vocabularySize(), losses.get(i)))
                    .toList();
            List<int[]> made = new ArrayList<>();
            model.generate(parameters, texts.iterator(), made::add);

            assertThat(made).anyMatch(ids -> ids.length < NEW_TOKENS).anyMatch(ids -> ids.length == NEW_TOKENS);
            for (int i = 0; i < TEXTS; i++) {
                int[] answer = made.get(i).length == NEW_TOKENS ? made.get(i) : with(made.get(i), end);
                assertThat(losses.get(i).tokens()).isEqualTo(answer.length);
                assertThat(losses.get(i).sum())
                        .isCloseTo(whole(model, parameters, texts.get(i).prompt(), answer), within(TOLERANCE));
            }
        }
    }

    private static int[] greedy(DecoderModel model, BoundParameters parameters) {
        return model.generate(
                parameters, new int[] {3}, new GenerationSpec(NEW_TOKENS, Set.of(), Sampling.GREEDY), id -> {});
    }

    private static PromptedText text(int number, int end, int vocabulary, TokenLosses losses) {
        int[] prompt = IntStream.rangeClosed(0, number * 2)
                .map(i -> number == 0 ? 3 : (i * 37 + number * 11) % vocabulary)
                .toArray();
        Sampling sampling = number % 2 == 0 ? Sampling.GREEDY : new Sampling(0.7, 5, 0.9, 3);
        return new PromptedText(prompt, new GenerationSpec(NEW_TOKENS, Set.of(end), sampling).ofText(number), losses);
    }

    private static int[] with(int[] ids, int last) {
        int[] all = Arrays.copyOf(ids, ids.length + 1);
        all[ids.length] = last;
        return all;
    }

    private static double whole(DecoderModel model, BoundParameters parameters, int[] prompt, int[] answer) {
        int[] ids =
                IntStream.concat(Arrays.stream(prompt), Arrays.stream(answer)).toArray();
        float[] logits = model.logits(parameters, List.of(row(ids)));
        int vocabulary = model.config().vocabularySize();
        double sum = 0;
        for (int place = prompt.length; place < ids.length; place++) {
            int from = (place - 1) * vocabulary;
            double total = IntStream.range(0, vocabulary)
                    .mapToDouble(id -> Math.exp(logits[from + id]))
                    .sum();
            sum += Math.log(total) - logits[from + ids[place]];
        }

        return sum;
    }

    private static TokenRow row(int[] ids) {
        boolean[] starts = new boolean[ids.length];
        starts[0] = true;
        return new TokenRow(ids, new boolean[ids.length], starts, ids.length);
    }
}
