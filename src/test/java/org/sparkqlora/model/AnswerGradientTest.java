package org.sparkqlora.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalDouble;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.sparkqlora.model.GoldenModel.Mode;
import org.sparkqlora.model.layout.Precision;
import org.sparkqlora.model.loss.AnswerLoss;
import org.sparkqlora.model.loss.LossTotal;
import org.sparkqlora.model.loss.LossTotal.Measures;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.tensor.Hardware;
import org.sparkqlora.tokenizer.packing.TokenRow;
import org.sparkqlora.weights.WeightFolder;

/** Gradients by weights of tokens, with heads that are frozen and heads that train, beside those of the tokens that have a weight. */
class AnswerGradientTest {
    /** Difference of a gradient as a share of the largest: products of other shapes are added in other orders. */
    private static final double TOLERANCE = 2e-5;

    private static final float WEIGHT = -0.5f;

    @TempDir
    private Path cache;

    /** What computes. */
    private enum Device {
        PROCESSOR {
            @Override
            Hardware.Source source() {
                return Precision.FP32::onProcessor;
            }
        },
        OPERATIONS {
            @Override
            Hardware.Source source() {
                return workers -> Hardware.operationsOnProcessor();
            }
        };

        abstract Hardware.Source source();
    }

    static Stream<Arguments> models() {
        return Stream.of(Device.values())
                .flatMap(device -> Stream.of(
                        Arguments.of("llama-tied", Mode.LORA, device),
                        Arguments.of("llama-tied", Mode.FULL, device),
                        Arguments.of("mistral-window", Mode.FULL, device),
                        Arguments.of("saved-untied", Mode.LORA, device),
                        Arguments.of("gemma2", Mode.LORA, device)));
    }

    @ParameterizedTest(name = "{0} {1} {2}")
    @MethodSource("models")
    void weightedTokensHaveTheirShareOfTheGradient(String name, Mode mode, Device device) {
        GoldenModel golden = new GoldenModel(name);
        List<TokenRow> rows = golden.batch();
        try (WeightFolder weights = golden.weights(mode, cache);
                DecoderModel model = LoadedModel.of(weights, golden.spec(mode), 1, Recompute.ALL, device.source());
                BoundParameters parameters = model.bind(golden.start(mode, model.parameters()))) {
            FlatVector expected = FlatVector.zeros(model.parameters().size());
            FlatVector found = FlatVector.zeros(model.parameters().size());
            LoadedModel.addGradient(model, parameters, rows.subList(0, 1), expected);

            LossTotal loss = model.addGradients(
                            parameters,
                            List.of(new MicroBatch(rows, 0)),
                            found,
                            OptionalDouble.empty(),
                            AnswerGradientTest::ofTheFirstDocument,
                            null)
                    .get(0);

            assertThat(loss.terms()).isEqualTo(rows.size());
            double largest = 0;
            for (long i = 0; i < expected.length(); i++) {
                largest = Math.max(largest, Math.abs(expected.get(i)));
            }

            for (long i = 0; i < expected.length(); i++) {
                assertThat((double) found.get(i))
                        .as("element %d", i)
                        .isCloseTo(WEIGHT * expected.get(i), within(TOLERANCE * largest));
            }
        }
    }

    private static LossTotal ofTheFirstDocument(AnswerLoss.Answers answers, float[] weights) {
        Arrays.fill(weights, answers.from(0), answers.to(0), WEIGHT);
        return new LossTotal(0, answers.documents(), answers.losses().length, Measures.NONE);
    }
}
