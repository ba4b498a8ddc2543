package org.sparkqlora.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.model.DecoderModel;
import org.sparkqlora.model.GoldenModel;
import org.sparkqlora.model.LoadedModel;
import org.sparkqlora.model.layout.Method;
import org.sparkqlora.model.layout.ModelSpec;
import org.sparkqlora.model.layout.Precision;
import org.sparkqlora.model.loss.LossTotal;
import org.sparkqlora.quant.QuantSpec;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.storage.LocalFiles;
import org.sparkqlora.weights.FourBitFolder;
import org.sparkqlora.weights.WeightFolder;

/** Text models inside models that see images ({@code src/test/python/make_wrapped_goldens.py}), beside the same by themselves. */
class TextModelTest {
    private static final Path GOLDENS = Path.of("src/test/resources/goldens");
    private static final Percentage TOLERANCE = Percentage.withPercentage(2e-4);

    @TempDir
    private Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"qwen3_5_text", "ministral3", "gemma4_text"})
    void computesAsByItself(String family) throws IOException {
        Path base = GOLDENS.resolve("wrapped").resolve(family).resolve("base");
        Path adapter = base.resolveSibling("adapter");

        assertThat(loss(base, adapter, family)).isCloseTo(expected(family), TOLERANCE);
    }

    @ParameterizedTest
    @ValueSource(strings = {"qwen3_5_text", "ministral3", "gemma4_text"})
    void isWrittenAsAModelByItself(String family) {
        Path base = GOLDENS.resolve("wrapped").resolve(family).resolve("base");
        try (WeightFolder wrapped = WeightFolder.open(base);
                WeightFolder alone = WeightFolder.open(GOLDENS.resolve("models/" + family + "/base"));
                Workers workers = new Workers(1)) {
            FourBitFolder.write(wrapped, QuantSpec.DEFAULT, workers, folder.resolve("quantised"));
            FourBitFolder.write(alone, QuantSpec.DEFAULT, workers, folder.resolve("alone"));

            assertThat(folder.resolve("quantised/model.safetensors"))
                    .hasSameBinaryContentAs(folder.resolve("alone/model.safetensors"));
            assertThat(json(folder.resolve("quantised/config.json"))
                            .get("model_type")
                            .asText())
                    .isEqualTo(family);
            assertThat(json(folder.resolve("quantised/config.json")).get("architectures"))
                    .isEqualTo(json(folder.resolve("alone/config.json")).get("architectures"));
        }
    }

    private static double loss(Path base, Path adapter, String family) throws IOException {
        AdapterConfig config = AdapterFolder.readConfig(LocalFiles.system(), LocalFiles.path(adapter.toAbsolutePath()));
        ModelSpec spec = new ModelSpec(Method.LORA, Precision.FP32, QuantSpec.DEFAULT, config.lora());
        try (WeightFolder weights = WeightFolder.open(base);
                DecoderModel model = LoadedModel.of(weights, spec, 1)) {
            var values = AdapterFolder.read(
                    LocalFiles.system(), LocalFiles.path(adapter.toAbsolutePath()), model.parameters());
            try (var parameters = model.bind(values)) {
                return model.losses(parameters, new GoldenModel(family).batch()).stream()
                        .mapToDouble(LossTotal::lossSum)
                        .sum();
            }
        }
    }

    private static double expected(String family) {
        return json(GOLDENS.resolve("models/" + family + "/expected.json"))
                .get("lora_f32")
                .get("loss_sum")
                .asDouble();
    }

    private static JsonNode json(Path file) {
        try {
            return new ObjectMapper().readTree(Files.readString(file));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
