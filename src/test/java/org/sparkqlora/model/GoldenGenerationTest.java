package org.sparkqlora.model;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.Set;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.sparkqlora.data.GoldenJson;
import org.sparkqlora.model.generation.GenerationSpec;
import org.sparkqlora.model.generation.Sampling;
import org.sparkqlora.model.layout.Method;
import org.sparkqlora.model.layout.ModelSpec;
import org.sparkqlora.model.layout.Precision;
import org.sparkqlora.quant.QuantSpec;
import org.sparkqlora.weights.WeightFolder;

/** The reference is transformers' generate in float32; {@code src/test/python/make_generation_goldens.py} made the file. */
class GoldenGenerationTest {
    private static final Path MODELS = Path.of("src/test/resources/goldens/models");
    private static final JsonNode GOLDENS = GoldenJson.read("generation/greedy.json");

    static Stream<String> families() {
        return StreamSupport.stream(((Iterable<String>) GOLDENS::fieldNames).spliterator(), false);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("families")
    void greedyTokensEqualTheReference(String name) {
        ModelSpec spec = new ModelSpec(Method.LORA, Precision.FP32, QuantSpec.DEFAULT, null);
        try (WeightFolder weights = WeightFolder.open(MODELS.resolve(name).resolve("base"));
                DecoderModel model = LoadedModel.of(weights, spec, 1);
                BoundParameters parameters = model.bind(model.initialParameters(0))) {
            for (JsonNode golden : GOLDENS.get(name)) {
                int[] expected = ints(golden.get("ids"));
                GenerationSpec greedy = new GenerationSpec(expected.length, Set.of(), Sampling.GREEDY);

                assertThat(model.generate(parameters, ints(golden.get("prompt")), greedy, id -> {}))
                        .isEqualTo(expected);
            }
        }
    }

    private static int[] ints(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false)
                .mapToInt(JsonNode::asInt)
                .toArray();
    }
}
