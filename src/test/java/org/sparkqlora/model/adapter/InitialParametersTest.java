package org.sparkqlora.model.adapter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sparkqlora.model.DecoderModel;
import org.sparkqlora.model.GoldenModel;
import org.sparkqlora.model.GoldenModel.Mode;
import org.sparkqlora.model.LoadedModel;
import org.sparkqlora.model.layout.FactorInitialization;
import org.sparkqlora.model.layout.LoraSpec;
import org.sparkqlora.model.layout.Method;
import org.sparkqlora.model.layout.ModelSpec;
import org.sparkqlora.model.layout.Parameter;
import org.sparkqlora.model.layout.ParameterIndex;
import org.sparkqlora.model.layout.Precision;
import org.sparkqlora.model.layout.SavedModule;
import org.sparkqlora.model.layout.SavedModules;
import org.sparkqlora.quant.FloatSource;
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
        LoraSpec lora = LoraSpec.allLinear(RANK, 16).withInitialization(FactorInitialization.parse(initialization));
        GoldenModel golden = new GoldenModel("llama-tied");
        try (WeightFolder weights = golden.weights(Mode.LORA, cache);
                DecoderModel model = LoadedModel.of(
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

    /** As transformers draws it. */
    @Test
    void aNewHeadThatScoresIsAsWideAsTheConfigSays() throws IOException {
        GoldenModel golden = new GoldenModel("llama-tied");
        Path wide = Files.createDirectories(cache.resolve("wide"));
        try (WeightFolder weights = golden.weights(Mode.LORA, cache)) {
            Files.copy(weights.path().resolve("model.safetensors"), wide.resolve("model.safetensors"));
            String config = Files.readString(weights.path().resolve("config.json"));
            Files.writeString(
                    wide.resolve("config.json"),
                    config.replaceAll("\"initializer_range\": [^,]*,", "")
                            .replaceFirst("\\{", "{\"initializer_range\": 0.5,"));
        }

        LoraSpec lora = LoraSpec.allLinear(RANK, 16).withSaved(SavedModules.NONE.withLabels(64));
        try (WeightFolder weights = WeightFolder.open(wide);
                DecoderModel model = LoadedModel.of(
                        weights, new ModelSpec(Method.LORA, Precision.FP32, QuantSpec.DEFAULT, lora), 1)) {
            Parameter head = model.parameters().find(SavedModules.SCORE_KEY);

            assertThat(Math.sqrt(sumOfSquares(model.initialParameters(3), head) / head.size()))
                    .isCloseTo(0.5, within(0.02));
        }
    }

    @ParameterizedTest
    @CsvSource({"saved-untied, 131", "saved-tied, 131", "saved-apart, 131", "saved-untied, 100"})
    void matricesOfAnotherSizeStartAsTheBaseAndItsMeanRow(String name, int rows) {
        GoldenModel golden = new GoldenModel(name);
        LoraSpec lora = LoraSpec.allLinear(RANK, 16)
                .withSaved(new SavedModules(
                        List.of(SavedModule.EMBEDDING, SavedModule.HEAD), name.equals("saved-tied"), rows));
        try (WeightFolder weights = golden.weights(Mode.LORA, cache);
                DecoderModel model = LoadedModel.of(
                        weights, new ModelSpec(Method.LORA, Precision.FP32, QuantSpec.DEFAULT, lora), 1)) {
            FlatVector start = model.initialParameters(3);

            assertThat(model.config().vocabularySize()).isEqualTo(rows);
            for (SavedModule module : SavedModule.values()) {
                String stored = weights.has(module.weight()) ? module.weight() : SavedModule.EMBEDDING.weight();
                assertRows(
                        start,
                        model.parameters().find(module.adapterKey()),
                        weights.tensor(stored).asFloats());
            }
        }
    }

    @Test
    void aMatrixThatDoesNotTrainIsNotResized() {
        GoldenModel golden = new GoldenModel("saved-untied");
        LoraSpec lora =
                LoraSpec.allLinear(RANK, 16).withSaved(new SavedModules(List.of(SavedModule.EMBEDDING), true, 131));
        ModelSpec spec = new ModelSpec(Method.LORA, Precision.FP32, QuantSpec.DEFAULT, lora);
        try (WeightFolder weights = golden.weights(Mode.LORA, cache)) {
            assertThatThrownBy(() -> ParameterIndex.of(weights.config(), spec))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageStartingWith(
                            "Cannot resize a model of 128 tokens to 131: expected modules to save embed_tokens,lm_head, found [embed_tokens]");
        }
    }

    @Test
    void noTokenIsAddedToAModelWithEmbeddingsOfEachLayer() {
        SavedModules both = new SavedModules(List.of(SavedModule.EMBEDDING, SavedModule.HEAD), true, 131);
        ModelSpec spec = new ModelSpec(
                Method.LORA,
                Precision.FP32,
                QuantSpec.DEFAULT,
                LoraSpec.allLinear(RANK, 16).withSaved(both));
        try (WeightFolder weights = new GoldenModel("gemma4_text").weights(Mode.LORA, cache)) {
            assertThatThrownBy(() -> ParameterIndex.of(weights.config(), spec))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage(
                            "Cannot resize a model of 128 tokens to 131: its embeddings of each layer would need rows that are stored nowhere. Use tokens that the model has");
        }
    }

    private static void assertRows(FlatVector start, Parameter parameter, FloatSource base) {
        int width = (int) parameter.shape()[1];
        float[] values = new float[(int) base.length()];
        base.read(0, values, values.length);
        for (int i = 0; i < parameter.size(); i++) {
            float expected = i < values.length ? values[i] : mean(values, width, i % width);
            assertThat(start.get(parameter.offset() + i)).as("number %d", i).isEqualTo(expected);
        }
    }

    private static float mean(float[] values, int width, int column) {
        double sum = 0;
        for (int i = column; i < values.length; i += width) {
            sum += values[i];
        }

        return (float) (sum / (values.length / width));
    }

    private static double sumOfSquares(FlatVector values, Parameter parameter) {
        double sum = 0;
        for (long i = parameter.offset(); i < parameter.offset() + parameter.size(); i++) {
            sum += (double) values.get(i) * values.get(i);
        }

        return sum;
    }
}
