package org.sparkqlora.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.weights.family.DecoderTensors;
import org.sparkqlora.weights.safetensors.InvalidWeightsException;
import org.sparkqlora.weights.safetensors.ModelFolders;
import org.sparkqlora.weights.safetensors.StoredTensor;

class WeightFolderTest {
    private static final String INDEX = "model.safetensors.index.json";

    @TempDir
    private Path temporary;

    static List<String> models() {
        return Goldens.MODELS;
    }

    @ParameterizedTest
    @MethodSource("models")
    void opensModelsOfEveryFamily(String model) {
        try (WeightFolder folder = WeightFolder.open(Goldens.base(model));
                Workers workers = new Workers(2)) {
            folder.checkShapes();
            folder.checkFinite(workers);

            assertThat(folder.quantized()).isFalse();
            assertThat(folder.names())
                    .containsExactlyInAnyOrderElementsOf(
                            DecoderTensors.of(folder.config()).shapes().keySet());
        }
    }

    @Test
    void readsAWeightFromTheShardThatHasIt() {
        WeightFolder folder = WeightFolder.open(Goldens.base("llama-sharded"));
        StoredTensor head = folder.tensor("lm_head.weight");

        assertThat(head.file().getFileName()).hasToString("model-00003-of-00003.safetensors");
        assertThat(head.shape()).containsExactly(320, 128);
        assertThat(folder.has("lm_head.weight")).isTrue();
        assertThat(folder.fourBit("lm_head.weight")).isEmpty();
    }

    @Test
    void hasNoHeadOfItsOwnWhenEmbeddingsAreTied() {
        WeightFolder folder = WeightFolder.open(Goldens.base("llama-tied"));

        assertThat(folder.config().tiedEmbeddings()).isTrue();
        assertThat(folder.has("lm_head.weight")).isFalse();
        assertThatThrownBy(() -> folder.tensor("lm_head.weight"))
                .isInstanceOf(InvalidWeightsException.class)
                .hasMessage(
                        "Cannot read tensor lm_head.weight of %s: the model has no such tensor among its 20",
                        folder.path());
    }

    @Test
    void refusesAHeadOfItsOwnWhereTheConfigSaysThatItIsTheEmbedding() throws IOException {
        Path folder = Goldens.copyBase("mistral-window", temporary.resolve("model"));
        edit(folder.resolve("config.json"), "\"tie_word_embeddings\": false", "\"tie_word_embeddings\": true");

        assertThatThrownBy(() -> WeightFolder.open(folder).checkHead())
                .isInstanceOf(InvalidWeightsException.class)
                .hasMessage(
                        "Cannot use %s: expected no lm_head.weight, or a copy of model.embed_tokens.weight, because tie_word_embeddings is true, found another. Set it to false in config.json to use both.",
                        folder);
    }

    @Test
    void takesACopyOfATiedEmbedding() throws IOException {
        Path folder = Goldens.copyBase("mistral-window", temporary.resolve("model"));
        edit(folder.resolve("config.json"), "\"tie_word_embeddings\": false", "\"tie_word_embeddings\": true");
        WeightFolder apart = WeightFolder.open(folder);
        byte[] copy = new byte[(int) apart.tensor("model.embed_tokens.weight").byteSize()];
        apart.tensor("model.embed_tokens.weight").buffer().get(copy);
        ModelFolders.replace(folder, apart.tensor("lm_head.weight").spec(), copy);

        assertThatCode(() -> WeightFolder.open(folder).checkHead()).doesNotThrowAnyException();
    }

    @Test
    void listsEveryWeightThatDoesNotFitTheConfig() throws IOException {
        Path folder = Goldens.copyBase("llama-tied", temporary.resolve("model"));
        ModelFolders.remove(folder, "model.norm.weight");
        edit(folder.resolve("config.json"), "\"vocab_size\": 320", "\"vocab_size\": 321");

        WeightFolder opened = WeightFolder.open(folder);

        assertThatThrownBy(opened::checkShapes)
                .isInstanceOf(InvalidWeightsException.class)
                .hasMessage("""
                        Cannot use %s as a llama model: 2 weights do not fit its config.json. Are both from the same model?
                          model.embed_tokens.weight: expected shape [321, 64], found [320, 64] in model.safetensors
                          model.norm.weight: expected shape [64], found nothing""".formatted(folder));
    }

    @Test
    void cutsTheListOfWeightsThatDoNotFit() throws IOException {
        Path folder = Goldens.copyBase("llama-tied", temporary.resolve("model"));
        edit(folder.resolve("config.json"), "\"hidden_size\": 64", "\"hidden_size\": 32");

        assertThatThrownBy(() -> WeightFolder.open(folder).checkShapes())
                .isInstanceOf(InvalidWeightsException.class)
                .hasMessageStartingWith(
                        "Cannot use %s as a llama model: 20 weights do not fit its config.json.".formatted(folder))
                .hasMessageEndingWith("\n  and 8 more");
    }

    @ParameterizedTest
    @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY})
    void namesTheFirstNumberThatIsNotFinite(float value) {
        Path folder = Goldens.copyBase("llama-tied", temporary.resolve("model"));
        ModelFolders.setFloat(folder, "model.layers.1.mlp.up_proj.weight", 1234, value);
        ModelFolders.setFloat(folder, "model.layers.1.mlp.up_proj.weight", 5678, Float.NaN);

        try (WeightFolder opened = WeightFolder.open(folder);
                Workers workers = new Workers(2)) {
            assertThatThrownBy(() -> opened.checkFinite(workers))
                    .isInstanceOf(InvalidWeightsException.class)
                    .hasMessage(
                            "Cannot use weight model.layers.1.mlp.up_proj.weight of %s: expected a finite number at index 1234, found %s",
                            folder.resolve("model.safetensors"), value);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "../model-00003-of-00003.safetensors",
                "/etc/passwd",
                "sub/model.safetensors",
                "..",
                "model.bin",
                "sub\\\\model.safetensors",
                ""
            })
    void refusesIndexEntriesOutsideTheFolder(String shard) throws IOException {
        Path folder = Goldens.copyBase("llama-sharded", temporary.resolve("model"));
        edit(
                folder.resolve(INDEX),
                "\"lm_head.weight\": \"model-00003-of-00003.safetensors\"",
                "\"lm_head.weight\": \"%s\"".formatted(shard));

        assertThatThrownBy(() -> WeightFolder.open(folder))
                .isInstanceOf(InvalidWeightsException.class)
                .hasMessage(
                        "Cannot read %s: expected tensor lm_head.weight in a .safetensors file of the same folder, found \"%s\"",
                        folder.resolve(INDEX), shard);
    }

    @Test
    void refusesAnIndexWithoutAMap() throws IOException {
        Path folder = Goldens.copyBase("llama-sharded", temporary.resolve("model"));
        Files.writeString(folder.resolve(INDEX), "{}");

        assertThatThrownBy(() -> WeightFolder.open(folder))
                .isInstanceOf(InvalidWeightsException.class)
                .hasMessage(
                        "Cannot read %s: expected shard names by tensor for weight_map, found nothing",
                        folder.resolve(INDEX));
    }

    @Test
    void namesTheShardThatIsMissing() throws IOException {
        Path folder = Goldens.copyBase("llama-sharded", temporary.resolve("model"));
        Files.delete(folder.resolve("model-00002-of-00003.safetensors"));

        assertThatThrownBy(() -> WeightFolder.open(folder))
                .isInstanceOf(InvalidWeightsException.class)
                .hasMessage(
                        "Cannot read %s: it lists model-00002-of-00003.safetensors, which does not exist. Is the download complete?",
                        folder.resolve(INDEX));
    }

    @Test
    void namesTheTensorThatItsShardDoesNotHave() throws IOException {
        Path folder = Goldens.copyBase("llama-sharded", temporary.resolve("model"));
        edit(
                folder.resolve(INDEX),
                "\"lm_head.weight\": \"model-00003-of-00003.safetensors\"",
                "\"lm_head.weight\": \"model-00001-of-00003.safetensors\"");

        assertThatThrownBy(() -> WeightFolder.open(folder))
                .isInstanceOf(InvalidWeightsException.class)
                .hasMessage(
                        "Cannot read tensor lm_head.weight: %s places it in model-00001-of-00003.safetensors, which does not have it",
                        folder.resolve(INDEX));
    }

    @Test
    void namesTheFileThatIsCutOff() throws IOException {
        Path folder = Goldens.copyBase("llama-tied", temporary.resolve("model"));
        Path file = folder.resolve("model.safetensors");
        byte[] bytes = Files.readAllBytes(file);
        Files.write(file, Arrays.copyOf(bytes, bytes.length - 1));

        assertThatThrownBy(() -> WeightFolder.open(folder))
                .isInstanceOf(InvalidWeightsException.class)
                .hasMessage(
                        "Cannot read tensor model.norm.weight of %s: expected bytes 429072 to 429328, found the end of the file at byte 429327. Was the copy or download cut off?",
                        file);
    }

    @ParameterizedTest
    @ValueSource(strings = {"pytorch_model.bin", "pytorch_model.bin.index.json", "consolidated.00.pth"})
    void refusesPicklesAndSaysWhatToDo(String pickle) throws IOException {
        Path folder = Goldens.copyBase("llama-tied", temporary.resolve("model"));
        Files.move(folder.resolve("model.safetensors"), folder.resolve(pickle));

        assertThatThrownBy(() -> WeightFolder.open(folder))
                .isInstanceOf(InvalidWeightsException.class)
                .hasMessage(
                        "Unsupported weights in %s: expected model.safetensors or model.safetensors.index.json, found only the pickle %s, which can run code when it is read. Convert it once with transformers: AutoModelForCausalLM.from_pretrained(dir).save_pretrained(dir, safe_serialization=True)",
                        folder, pickle);
    }

    @Test
    void saysWhatAFolderWithoutWeightsHas() throws IOException {
        Path folder = Goldens.copyBase("llama-tied", temporary.resolve("model"));
        Files.delete(folder.resolve("model.safetensors"));

        assertThatThrownBy(() -> WeightFolder.open(folder))
                .isInstanceOf(InvalidWeightsException.class)
                .hasMessage(
                        "Cannot open model folder %s: expected model.safetensors or model.safetensors.index.json, found [config.json]",
                        folder);
    }

    @Test
    void saysThatThereIsNoFolder() throws IOException {
        Path missing = temporary.resolve("missing");
        Path file = Files.createFile(temporary.resolve("file"));

        assertThatThrownBy(() -> WeightFolder.open(missing))
                .isInstanceOf(InvalidWeightsException.class)
                .hasMessage("Cannot open model folder %s: expected a folder, found nothing", missing);
        assertThatThrownBy(() -> WeightFolder.open(file))
                .isInstanceOf(InvalidWeightsException.class)
                .hasMessage("Cannot open model folder %s: expected a folder, found a file", file);
    }

    @Test
    void refusesToReadOnceItIsClosed() {
        WeightFolder folder = WeightFolder.open(Goldens.base("llama-tied"));
        folder.close();

        assertThatThrownBy(() -> folder.tensor("model.norm.weight"))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("Cannot read weights of %s: the folder was closed", folder.path());
    }

    @Test
    void ignoresTensorsThatTheModelDoesNotUse() throws IOException {
        Path folder = Goldens.copyBase("qwen2-bias", temporary.resolve("model"));
        edit(folder.resolve("config.json"), "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 1");

        assertThatCode(() -> WeightFolder.open(folder).checkShapes()).doesNotThrowAnyException();
    }

    private static void edit(Path file, String from, String to) throws IOException {
        String text = Files.readString(file);
        assertThat(text).contains(from);
        Files.writeString(file, text.replace(from, to));
    }
}
