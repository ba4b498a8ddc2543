package org.sparkqlora.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.sparkqlora.model.GoldenModel.Mode;
import org.sparkqlora.model.layout.Method;
import org.sparkqlora.model.layout.ModelSpec;
import org.sparkqlora.model.layout.Precision;
import org.sparkqlora.quant.QuantSpec;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.weights.WeightFolder;

/** Training in bfloat16 beside float32. */
class Bfloat16GradientTest {
    /** Activations have 8 bits: 0.9958 to 0.99995 in these models; a part that is left out or added twice is below 0.9. */
    private static final double LEAST_COSINE = 0.99;

    /** Tokens at the border between two experts go to the other one: five of 78 in gpt_oss-experts, which comes to 0.9757. */
    private static final double LEAST_COSINE_OF_EXPERTS = 0.97;

    @TempDir
    private Path cache;

    static Stream<String> families() {
        return GoldenModel.FAMILIES.stream();
    }

    @ParameterizedTest
    @MethodSource("families")
    void pointsWhereThatOfFloat32Does(String name) {
        FlatVector exact = gradient(new GoldenModel(name), Precision.FP32);
        FlatVector rounded = gradient(new GoldenModel(name), Precision.BF16);

        assertThat(product(exact, rounded) / Math.sqrt(product(exact, exact) * product(rounded, rounded)))
                .isGreaterThan(name.startsWith("gpt_oss") ? LEAST_COSINE_OF_EXPERTS : LEAST_COSINE);
    }

    private FlatVector gradient(GoldenModel golden, Precision precision) {
        ModelSpec spec = new ModelSpec(
                Method.QLORA,
                precision,
                QuantSpec.DEFAULT,
                golden.spec(Mode.QLORA).lora());
        try (WeightFolder weights = golden.weights(Mode.QLORA, cache);
                DecoderModel model = LoadedModel.of(weights, spec, 1);
                BoundParameters parameters = model.bind(golden.adapter(model.parameters()))) {
            FlatVector sum = FlatVector.zeros(model.parameters().size());
            LoadedModel.addGradient(model, parameters, golden.batch(), sum);
            return sum;
        }
    }

    private static double product(FlatVector first, FlatVector second) {
        double sum = 0;
        for (long i = 0; i < first.length(); i++) {
            sum += (double) first.get(i) * second.get(i);
        }

        return sum;
    }
}
