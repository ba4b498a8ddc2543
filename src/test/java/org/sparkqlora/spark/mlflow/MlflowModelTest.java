package org.sparkqlora.spark.mlflow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.spark.mlflow.MlflowModel.Weights;

/** What MLflow reads of a model; that it opens one is in its integration test. */
class MlflowModelTest {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";

    @Test
    void anAdapterOfAHubNamesItsBaseByCommit() {
        JsonNode flavor = flavor(new MlflowModel(Weights.ADAPTER_OF_HUB, "org/name", COMMIT, true, "bfloat16"));

        assertThat(flavor.path("source_model_name").asText()).isEqualTo("org/name");
        assertThat(flavor.path("source_model_revision").asText()).isEqualTo(COMMIT);
        assertThat(flavor.path("tokenizer_name").asText()).isEqualTo("org/name");
        assertThat(flavor.path("tokenizer_revision").asText()).isEqualTo(COMMIT);
        assertThat(flavor.path("peft_adaptor").asText()).isEqualTo("peft");
        assertThat(flavor.path("torch_dtype").asText()).isEqualTo("torch.bfloat16");
        assertThat(flavor.has("model_binary")).isFalse();
        assertThat(flavor.has("local_base_model_path")).isFalse();
    }

    @Test
    void aWholeModelNeedsNoOther() {
        MlflowModel model = new MlflowModel(Weights.WHOLE, "org/name", null, true, "float32");
        JsonNode flavor = flavor(model);

        assertThat(flavor.path("model_binary").asText()).isEqualTo("model");
        assertThat(model.weightFolder()).isEqualTo("mlflow-model/model");
        assertThat(flavor.has("peft_adaptor")).isFalse();
        assertThat(flavor.has("source_model_revision")).isFalse();
    }

    @ParameterizedTest
    @CsvSource({"true, messages, message, llm/v1/chat", "false, prompt, text, llm/v1/completions"})
    void theSignatureIsThatOfItsTask(boolean isChat, String asked, String said, String task) throws IOException {
        MlflowModel model = new MlflowModel(Weights.ADAPTER_OF_FOLDER, "/base", null, isChat, "float32");
        JsonNode root = root(model);

        JsonNode inputs = MAPPER.readTree(root.at("/signature/inputs").asText());
        JsonNode outputs = MAPPER.readTree(root.at("/signature/outputs").asText());

        assertThat(inputs.get(0).path("name").asText()).isEqualTo(asked);
        assertThat(inputs.findValuesAsText("name")).contains("temperature", "max_tokens", "stop");
        assertThat(outputs.findValuesAsText("name")).contains("id", "created", "choices", "usage");
        assertThat(outputs.findValue("properties").has(said)).isTrue();
        assertThat(flavor(model).path("inference_task").asText()).isEqualTo(task);
        JsonNode example = MAPPER.readTree(texts(model).getOrDefault("mlflow-model/input_example.json", ""));
        assertThat(example.has(asked)).isTrue();
    }

    @Test
    void aNameMayHaveAnAlias() {
        assertThat(RegisteredName.parse("main.llm.owls@candidate"))
                .isEqualTo(new RegisteredName("main.llm.owls", "candidate"));
        assertThat(RegisteredName.parse("owls")).hasToString("owls");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a/b", "a:b", "owls@", "owls@v3", "owls@latest", "owls@3"})
    void whatTheRegistryRefusesIsRefusedBefore(String text) {
        assertThatThrownBy(() -> RegisteredName.parse(text))
                .isInstanceOf(BadInputException.class)
                .hasMessageStartingWith("expected NAME or NAME@ALIAS, such as main.llm.owls@candidate, found " + text);
    }

    private static JsonNode flavor(MlflowModel model) {
        return root(model).at("/flavors/transformers");
    }

    private static JsonNode root(MlflowModel model) {
        Object yaml = new Load(LoadSettings.builder().build())
                .loadFromString(texts(model).getOrDefault("mlflow-model/MLmodel", ""));
        return MAPPER.valueToTree(yaml);
    }

    private static Map<String, String> texts(MlflowModel model) {
        return model.descriptions("id", "2026-11-01 08:00:00.000000").stream()
                .collect(Collectors.toMap(MlflowFile::path, MlflowModelTest::text));
    }

    private static String text(MlflowFile file) {
        try (var content = file.content().get()) {
            return new String(content.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
