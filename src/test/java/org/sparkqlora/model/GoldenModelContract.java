package org.sparkqlora.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.sparkqlora.model.GoldenModel.Mode;
import org.sparkqlora.model.layout.Parameter;
import org.sparkqlora.model.layout.ParameterIndex;
import org.sparkqlora.model.loss.LossTotal;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.tensor.Hardware;
import org.sparkqlora.tokenizer.packing.TokenRow;
import org.sparkqlora.weights.WeightFolder;

/** Logits, loss and every gradient beside what torch, transformers, PEFT and bitsandbytes compute (goldens/models/README.md). */
abstract class GoldenModelContract {
    /** Largest absolute difference of float32 logits; the reference's own two attention kernels differ by 5e-6. */
    private static final float LOGIT_TOLERANCE = 5e-5f;

    /** Relative difference of the summed loss; float64 and float32 differ by 1e-7. */
    private static final Percentage LOSS_TOLERANCE = Percentage.withPercentage(2e-4);

    /** Difference of a gradient as a share of the largest of its tensor. */
    private static final double GRADIENT_TOLERANCE = 2e-5;

    @TempDir
    private static Path cache;

    /** The device of the model. */
    abstract Hardware hardware(Workers workers);

    static Stream<Arguments> adapted() {
        return Stream.concat(
                        GoldenModel.FAMILIES.stream(),
                        Stream.of(
                                "llama-rope3-bf16",
                                "rotary-linear",
                                "rotary-dynamic",
                                "rotary-yarn",
                                "saved-untied",
                                "saved-tied",
                                "saved-apart",
                                "llama-tied/variants/rslora",
                                "llama-tied/variants/dora",
                                "llama-tied/variants/qv",
                                "llama-tied/variants/patterns"))
                .flatMap(name -> Stream.of(Arguments.of(name, Mode.LORA), Arguments.of(name, Mode.QLORA)));
    }

    @ParameterizedTest(name = "{0} {1}")
    @MethodSource("adapted")
    void lossAndGradientsEqualTheReference(String name, Mode mode) {
        GoldenModel golden = new GoldenModel(name);
        try (Run run = new Run(golden, mode, cache, this::hardware)) {
            run.assertLossAndGradient(golden.batch());
        }
    }

    @ParameterizedTest(name = "{0} {1}")
    @MethodSource("adapted")
    void packedDocumentsDoNotSeeEachOther(String name, Mode mode) {
        GoldenModel golden = new GoldenModel(name);
        try (Run run = new Run(golden, mode, cache, this::hardware)) {
            run.assertLossAndGradient(golden.packed());
        }
    }

    @ParameterizedTest(name = "{0} {1}")
    @MethodSource("adapted")
    void logitsEqualTheReference(String name, Mode mode) {
        GoldenModel golden = new GoldenModel(name);
        try (Run run = new Run(golden, mode, cache, this::hardware)) {
            run.assertLogits(golden.batch());
        }
    }

    static Stream<String> whole() {
        return Stream.concat(Stream.of("llama-tied/variants/full"), GoldenModel.MADE_BY_FAMILY.stream());
    }

    @ParameterizedTest
    @MethodSource("whole")
    void gradientsOfAllWeightsEqualTheReference(String name) {
        GoldenModel golden = new GoldenModel(name);
        try (Run run = new Run(golden, Mode.FULL, cache, this::hardware)) {
            run.assertLossAndGradient(golden.batch());
        }
    }

    /** A loaded reference model, its adapter bound. */
    private static final class Run implements AutoCloseable {
        private final GoldenModel golden;
        private final Mode mode;
        private final WeightFolder weights;
        private final DecoderModel model;
        private final BoundParameters parameters;

        Run(GoldenModel golden, Mode mode, Path cache, Hardware.Source hardware) {
            this.golden = golden;
            this.mode = mode;
            this.weights = golden.weights(mode, cache);
            this.model = LoadedModel.of(weights, golden.spec(mode), 1, Recompute.ALL, hardware);
            ParameterIndex index = model.parameters();
            this.parameters = model.bind(mode == Mode.FULL ? model.initialParameters(0) : golden.adapter(index));
        }

        void assertLossAndGradient(List<TokenRow> rows) {
            FlatVector sum = FlatVector.zeros(model.parameters().size());
            LossTotal loss = LoadedModel.addGradient(model, parameters, rows, sum);
            sum.scale(1f / loss.tokenCount());

            var expected = golden.expectedNumbers(mode);
            assertThat(loss.tokenCount()).isEqualTo(expected.get("n_tokens").asLong());
            assertThat(loss.lossSum()).isCloseTo(expected.get("loss_sum").asDouble(), LOSS_TOLERANCE);
            FlatVector gradient = golden.expected(model.parameters(), mode.prefix() + ".grad.");
            model.parameters().all().forEach(parameter -> assertSame(parameter, sum, gradient));
        }

        void assertLogits(List<TokenRow> rows) {
            float[] expected = golden.expected(mode.prefix() + ".logits");
            float[] logits = model.logits(parameters, rows);
            int vocabulary = model.config().vocabularySize();
            int at = 0;
            for (int row = 0; row < rows.size(); row++) {
                int width = rows.get(row).width();
                for (int i = 0; i < rows.get(row).length() * vocabulary; i++) {
                    assertThat(logits[at++]).isCloseTo(expected[row * width * vocabulary + i], within(LOGIT_TOLERANCE));
                }
            }

            assertThat(logits).hasSize(at);
        }

        private static void assertSame(Parameter parameter, FlatVector actual, FlatVector expected) {
            double largest = 0;
            double difference = 0;
            for (long i = parameter.offset(); i < parameter.offset() + parameter.size(); i++) {
                largest = Math.max(largest, Math.abs(expected.get(i)));
                difference = Math.max(difference, Math.abs(expected.get(i) - actual.get(i)));
            }

            assertThat(difference).as(parameter.name()).isLessThanOrEqualTo(GRADIENT_TOLERANCE * largest);
        }

        @Override
        public void close() {
            parameters.close();
            model.close();
            weights.close();
        }
    }
}
