package org.sparkqlora.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.sparkqlora.model.GoldenModel.Mode;
import org.sparkqlora.model.generation.GenerationSpec;
import org.sparkqlora.model.generation.PromptedText;
import org.sparkqlora.model.generation.Sampling;
import org.sparkqlora.model.layout.LoraSpec;
import org.sparkqlora.model.layout.ModelSpec;
import org.sparkqlora.model.layout.Precision;
import org.sparkqlora.model.loss.LossTotal;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.weights.WeightFolder;

/** Adapters beside each other over one base, beside each on a base of its own. */
class AdaptedBaseTest {
    private static final int THREADS = 2;
    private static final int NEW_TOKENS = 5;

    /** Of one base: other ranks, scales and modules, magnitudes. */
    private static final List<String> TIED = List.of(
            "llama-tied",
            "llama-tied/variants/dora",
            "llama-tied/variants/qv",
            "llama-tied/variants/patterns",
            "llama-tied/variants/rslora");

    @TempDir
    private static Path cache;

    static Stream<Arguments> adapters() {
        return Stream.of(
                Arguments.of(TIED, Mode.QLORA, Precision.FP32),
                Arguments.of(TIED, Mode.QLORA, Precision.BF16),
                Arguments.of(TIED, Mode.LORA, Precision.FP32),
                Arguments.of(List.of("saved-tied"), Mode.LORA, Precision.FP32),
                Arguments.of(List.of("saved-untied"), Mode.LORA, Precision.FP32),
                Arguments.of(List.of("qwen3_5_text"), Mode.QLORA, Precision.FP32));
    }

    @ParameterizedTest(name = "{0}, {1}, {2}")
    @MethodSource("adapters")
    void eachAnswersAsItDoesAlone(List<String> names, Mode mode, Precision precision) {
        List<GoldenModel> goldens = names.stream().map(GoldenModel::new).toList();
        List<Results> alone =
                goldens.stream().map(golden -> alone(golden, mode, precision)).toList();
        ModelSpec adaptedSpec = goldens.get(0).spec(mode);
        ModelSpec bare = new ModelSpec(adaptedSpec.method(), precision, adaptedSpec.quant(), null);
        try (WeightFolder weights = goldens.get(0).weights(mode, cache);
                DecoderModel base = LoadedModel.of(weights, bare, THREADS)) {
            List<DecoderModel> adapted = goldens.stream()
                    .map(golden -> base.adapted(lora(spec(golden, mode, precision))))
                    .toList();
            List<BoundParameters> bound = IntStream.range(0, adapted.size())
                    .mapToObj(i -> bound(adapted.get(i), goldens.get(i)))
                    .toList();

            for (int again = 0; again < 2; again++) {
                for (int i = 0; i < adapted.size(); i++) {
                    assertThat(Results.of(adapted.get(i), bound.get(i), goldens.get(i)))
                            .as(names.get(i))
                            .isEqualTo(alone.get(i));
                }
            }

            bound.forEach(BoundParameters::close);
            adapted.forEach(DecoderModel::close);
            try (BoundParameters none = base.bind(FlatVector.zeros(0))) {
                assertThat(Results.of(base, none, goldens.get(0))).isNotIn(alone);
            }
        }

        assertThat(alone).doesNotHaveDuplicates();
    }

    @Test
    void aModelThatHasAdaptersTakesNoOthers() {
        GoldenModel golden = new GoldenModel("llama-tied");
        ModelSpec spec = golden.spec(Mode.LORA);
        try (WeightFolder weights = golden.weights(Mode.LORA, cache);
                DecoderModel model = LoadedModel.of(weights, spec, 1)) {
            assertThatThrownBy(() -> model.adapted(lora(spec)))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("Cannot add adapters: expected a frozen base without any");
        }
    }

    private Results alone(GoldenModel golden, Mode mode, Precision precision) {
        try (WeightFolder weights = golden.weights(mode, cache);
                DecoderModel model = LoadedModel.of(weights, spec(golden, mode, precision), THREADS);
                BoundParameters parameters = bound(model, golden)) {
            return Results.of(model, parameters, golden);
        }
    }

    private static BoundParameters bound(DecoderModel model, GoldenModel golden) {
        return model.bind(golden.adapter(model.parameters()));
    }

    private static LoraSpec lora(ModelSpec spec) {
        return Objects.requireNonNull(spec.lora());
    }

    private static ModelSpec spec(GoldenModel golden, Mode mode, Precision precision) {
        ModelSpec spec = golden.spec(mode);
        return new ModelSpec(spec.method(), precision, spec.quant(), spec.lora());
    }

    /** What a model makes, which equals another's where no bit differs. */
    private record Results(List<LossTotal> losses, List<List<Integer>> texts) {
        static Results of(DecoderModel model, BoundParameters parameters, GoldenModel golden) {
            List<List<Integer>> texts = new ArrayList<>();
            int vocabulary = model.config().vocabularySize();
            for (Sampling sampling : List.of(Sampling.GREEDY, new Sampling(1, 0, 1, 5))) {
                model.generate(
                        parameters,
                        IntStream.range(0, 6)
                                .mapToObj(i -> text(i, vocabulary, sampling))
                                .iterator(),
                        made -> texts.add(Arrays.stream(made).boxed().toList()));
            }

            return new Results(model.losses(parameters, golden.batch()), texts);
        }

        private static PromptedText text(int number, int vocabulary, Sampling sampling) {
            int[] prompt = IntStream.rangeClosed(0, number)
                    .map(i -> (i * 37 + number * 11) % vocabulary)
                    .toArray();
            return new PromptedText(prompt, new GenerationSpec(NEW_TOKENS, Set.of(), sampling).ofText(number));
        }
    }
}
