package org.sparkqlora.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sparkqlora.model.GoldenModel.Mode;
import org.sparkqlora.quant.QuantSpec;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.weights.WeightFolder;

class InitialParametersTest {
    private static final int RANK = 8;
    private static final String QUERY = "base_model.model.model.layers.0.self_attn.q_proj.lora_%s.weight";

    @TempDir
    private Path cache;

    @ParameterizedTest
    @CsvSource({"default, 0.0722", "gaussian, 0.125"})
    void adaptersStartWithRandomDownAndZeroUp(String initialization, double deviation) {
        LoraSpec lora = new LoraSpec(
                RANK,
                16,
                0,
                new TargetModules.AllLinear(),
                false,
                false,
                Map.of(),
                Map.of(),
                FactorInitialization.parse(initialization),
                SavedModules.NONE);
        GoldenModel golden = new GoldenModel("llama-tied");
        try (WeightFolder weights = golden.weights(Mode.LORA, cache);
                DecoderModel model = DecoderModel.load(
                        weights, new ModelSpec(Method.LORA, Precision.FP32, QuantSpec.DEFAULT, lora), 1)) {
            FlatVector start = model.initialParameters(3);
            Parameter down = model.parameters().find(QUERY.formatted("A"));
            Parameter up = model.parameters().find(QUERY.formatted("B"));

            assertThat(Math.sqrt(sumOfSquares(start, down) / down.size())).isCloseTo(deviation, within(0.01));
            assertThat(sumOfSquares(start, up)).isZero();
            assertThat(model.initialParameters(3).sumOfSquares()).isEqualTo(start.sumOfSquares());
            assertThat(model.initialParameters(4).sumOfSquares()).isNotEqualTo(start.sumOfSquares());
        }
    }

    private static double sumOfSquares(FlatVector values, Parameter parameter) {
        double sum = 0;
        for (long i = parameter.offset(); i < parameter.offset() + parameter.size(); i++) {
            sum += (double) values.get(i) * values.get(i);
        }

        return sum;
    }
}
