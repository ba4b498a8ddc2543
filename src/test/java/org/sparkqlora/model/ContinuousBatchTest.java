package org.sparkqlora.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.sparkqlora.model.ContinuousBatch.Limits;
import org.sparkqlora.model.GoldenModel.Mode;
import org.sparkqlora.model.generation.GenerationSpec;
import org.sparkqlora.model.generation.PromptedText;
import org.sparkqlora.model.generation.Sampling;
import org.sparkqlora.model.layout.ModelSpec;
import org.sparkqlora.model.layout.Precision;
import org.sparkqlora.quant.QuantSpec;
import org.sparkqlora.weights.WeightFolder;

/** Many texts that grow together, beside each by itself. */
class ContinuousBatchTest {
    private static final int NEW_TOKENS = 8;

    private static final int TEXTS = 20;

    /** Of the first that begin, of those that take the place of others, and the last. */
    private static final int[] SOME = {7, 17, 19};

    /** Fewer than there are, and prompts of few of them begin at once. */
    private static final Limits FEW = new Limits(16, 1L << 30, 40);

    /** Room for one text. */
    private static final Limits ONE = new Limits(TEXTS, 1, 40);

    @TempDir
    private static Path cache;

    static Stream<String> families() {
        return Stream.concat(GoldenModel.FAMILIES.stream(), Stream.of("llama-rope3-bf16", "llama-tied/variants/dora"));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("families")
    void greedyTokensEqualThoseOfEachTextByItself(String name) {
        try (Run run = Run.of(new GoldenModel(name), Precision.FP32, cache)) {
            List<PromptedText> texts = run.texts(Sampling.GREEDY);

            List<List<Integer>> answers = run.together(texts);
            assertThat(answers).isEqualTo(run.eachAlone(texts));
            assertThat(answers.stream().map(List::size)).contains(NEW_TOKENS, 1);
        }
    }

    @Test
    void aTextDoesNotDependOnItsNeighboursInAnyBit() {
        Sampling sampling = new Sampling(1.0, 0, 1.0, 7);
        try (Run run = Run.of(new GoldenModel("llama-tied"), Precision.BF16, cache)) {
            List<PromptedText> texts = run.texts(sampling);
            List<List<Integer>> all = run.together(texts);

            assertThat(run.together(texts, Limits.DEFAULT)).isEqualTo(all);
            assertThat(run.together(texts, ONE)).isEqualTo(all);
            for (int i : SOME) {
                assertThat(run.together(texts.subList(i, i + 1))).containsExactly(all.get(i));
            }

            List<PromptedText> backwards = new ArrayList<>(texts);
            Collections.reverse(backwards);
            List<List<Integer>> answers = run.together(backwards);
            Collections.reverse(answers);
            assertThat(answers).isEqualTo(all);
        }
    }

    /** As long as those of few texts, more than a block of kept tokens, and more than a block of queries. */
    static Stream<Arguments> beginnings() {
        Stream<Arguments> lengths = Stream.of(Precision.FP32, Precision.BF16)
                .flatMap(precision -> Stream.of(17, 600).map(shared -> Arguments.of("llama-tied", precision, shared)));
        Stream<Arguments> inFloats = Stream.of("llama-tied", "mistral-window", "gemma4_text", "gpt_oss", "qwen3_5_text")
                .map(name -> Arguments.of(name, Precision.FP32, 70));
        Stream<Arguments> ofFamilies = families().map(name -> Arguments.of(name, Precision.BF16, 70));
        return Stream.of(lengths, inFloats, ofFamilies).flatMap(Function.identity());
    }

    @ParameterizedTest(name = "{0}, {1}, {2} tokens")
    @MethodSource("beginnings")
    void aBeginningThatIsSharedChangesNoBit(String name, Precision precision, int shared) {
        try (Run run = Run.of(new GoldenModel(name), precision, cache)) {
            List<PromptedText> texts = run.texts(new Sampling(1.0, 0, 1.0, 7), shared);

            List<List<Integer>> all = run.together(texts);
            for (int i : SOME) {
                assertThat(run.together(texts.subList(i, i + 1))).containsExactly(all.get(i));
            }
        }
    }

    @ParameterizedTest(name = "{0}: {1}")
    @CsvSource({"llama-tied, true", "mistral-window, true", "qwen3_5_text, false"})
    void onlyWhatIsNotSharedPasses(String name, boolean canShare) {
        try (Run run = Run.of(new GoldenModel(name), Precision.FP32, cache)) {
            List<PromptedText> texts = run.texts(Sampling.GREEDY, 20);
            int passing = run.model.inPass(run.parameters, pass -> {
                try (Decoding before = new Decoding(pass, texts.get(1));
                        Decoding text = new Decoding(pass, texts.get(2))) {
                    before.begin();
                    assertThat(text.sharedWith(before)).isEqualTo(20);
                    assertThat(text.canTakeBeginning(before, 20)).isEqualTo(canShare);
                    assertThat(text.canTakeBeginning(before, 15)).isFalse();
                    text.takeBeginning(before, 20);
                    return text.join().ids().length;
                }
            });

            assertThat(passing).isEqualTo(texts.get(2).prompt().length - 20);
        }
    }

    @Test
    void noTextsGiveNothing() {
        try (Run run = Run.of(new GoldenModel("llama-tied"), Precision.FP32, cache)) {
            assertThat(run.together(List.of())).isEmpty();
        }
    }

    private record Run(WeightFolder weights, DecoderModel model, BoundParameters parameters, Precision precision)
            implements AutoCloseable {
        static Run of(GoldenModel golden, Precision precision, Path cache) {
            ModelSpec spec = golden.spec(Mode.QLORA);
            WeightFolder weights = golden.weights(Mode.QLORA, cache);
            DecoderModel model =
                    LoadedModel.of(weights, new ModelSpec(spec.method(), precision, QuantSpec.DEFAULT, spec.lora()), 2);
            return new Run(weights, model, model.bind(golden.adapter(model.parameters())), precision);
        }

        /** A token that some of the texts come to. */
        int likelyEnd() {
            int[] made = model.generate(
                    parameters,
                    new int[] {3, 40, 7},
                    new GenerationSpec(NEW_TOKENS, Set.of(), Sampling.GREEDY),
                    id -> {});
            return made[NEW_TOKENS / 2];
        }

        List<PromptedText> texts(Sampling sampling) {
            return texts(sampling, 0);
        }

        /** Prompts of 1 to 24 tokens behind {@code shared} that all begin with, some of which end early. */
        List<PromptedText> texts(Sampling sampling, int shared) {
            int end = likelyEnd();
            int vocabulary = model.config().vocabularySize();
            return IntStream.range(0, TEXTS)
                    .mapToObj(text -> {
                        int[] prompt = IntStream.range(0, shared + 1 + text * 7 % 24)
                                .map(i -> (i * 37 + (i < shared ? 3 : text * 101)) % vocabulary)
                                .toArray();
                        int most = text % 5 == 0 ? 1 : NEW_TOKENS;
                        return new PromptedText(prompt, new GenerationSpec(most, Set.of(end), sampling).ofText(text));
                    })
                    .toList();
        }

        List<List<Integer>> together(List<PromptedText> texts) {
            return together(texts, FEW);
        }

        List<List<Integer>> together(List<PromptedText> texts, Limits limits) {
            return model.inPass(parameters, pass -> {
                List<List<Integer>> made = new ArrayList<>();
                new ContinuousBatch(pass, precision, limits, ids -> made.add(boxed(ids))).run(texts.iterator());
                return made;
            });
        }

        List<List<Integer>> eachAlone(List<PromptedText> texts) {
            return texts.stream()
                    .map(text -> boxed(model.generate(parameters, text.prompt(), text.spec(), id -> {})))
                    .toList();
        }

        private static List<Integer> boxed(int[] ids) {
            return Arrays.stream(ids).boxed().toList();
        }

        @Override
        public void close() {
            parameters.close();
            model.close();
            weights.close();
        }
    }
}
