package org.sparkqlora.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Path;
import java.util.OptionalDouble;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.model.GoldenModel.Mode;
import org.sparkqlora.model.layout.ModelSpec;
import org.sparkqlora.model.layout.Parameter;
import org.sparkqlora.model.layout.ParameterIndex;
import org.sparkqlora.model.loss.LossTotal;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.weights.WeightFolder;

/** The loss that balances experts, as transformers adds it to the mean loss. */
class RouterLossTest {
    /** BALANCE of make_family_goldens.py. */
    private static final double WEIGHT = 0.3;

    /** Of goldens/models/README.md. */
    private static final double LOSS = 2e-6;

    private static final double GRADIENT = 2e-5;

    @TempDir
    private Path cache;

    static Stream<Arguments> models() {
        return Stream.of("qwen3_moe", "qwen3_moe-sparse", "gpt_oss", "gpt_oss-router")
                .flatMap(name -> Stream.of(Mode.LORA, Mode.FULL).map(mode -> Arguments.of(name, mode)));
    }

    @ParameterizedTest
    @MethodSource("models")
    void lossAndGradientsAreThoseOfTransformers(String name, Mode mode) {
        GoldenModel golden = new GoldenModel(name, "balanced");
        ModelSpec spec = golden.spec(mode).withRouterLoss(WEIGHT);
        for (Recompute recompute : new Recompute[] {Recompute.ALL, Recompute.NONE}) {
            try (WeightFolder weights = golden.weights(mode, cache);
                    DecoderModel model = LoadedModel.of(weights, spec, 1, recompute);
                    BoundParameters parameters = model.bind(golden.start(mode, model.parameters()))) {
                FlatVector gradient = FlatVector.zeros(model.parameters().size());

                LossTotal loss = model.addGradient(parameters, golden.batch(), gradient, 0, OptionalDouble.empty());

                double expected = golden.expectedNumbers(mode).get("loss_sum").asDouble();
                assertThat(loss.lossSum()).isCloseTo(expected, within(LOSS * expected));
                FlatVector gradients = golden.expected(model.parameters(), mode.prefix() + ".grad.");
                for (Parameter parameter : model.parameters().all()) {
                    assertClose(parameter, gradient, gradients, loss.terms());
                }
            }
        }
    }

    private static void assertClose(Parameter parameter, FlatVector found, FlatVector expected, long terms) {
        double largest = 0;
        double difference = 0;
        for (long i = parameter.offset(); i < parameter.offset() + parameter.size(); i++) {
            largest = Math.max(largest, Math.abs(expected.get(i)));
            difference = Math.max(difference, Math.abs(found.get(i) / terms - expected.get(i)));
        }

        assertThat(difference).as(parameter.name()).isLessThanOrEqualTo(GRADIENT * largest);
    }

    @Test
    void aModelWithoutExpertsHasNoneToBalance() {
        GoldenModel golden = new GoldenModel("llama-tied");
        try (WeightFolder weights = golden.weights(Mode.LORA, cache)) {
            assertThatThrownBy(() -> ParameterIndex.of(
                            weights.config(), golden.spec(Mode.LORA).withRouterLoss(WEIGHT)))
                    .isInstanceOf(BadInputException.class)
                    .hasMessage(
                            "Cannot balance experts by a loss of weight 0.3: the model, of type llama, has none. Leave out --router-aux-loss-coef");
        }
    }
}
