package org.sparkqlora.weights.family;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.weights.Goldens;
import org.sparkqlora.weights.safetensors.InvalidWeightsException;

class ModelConfigJsonTest {
    private static final String SIZES = """
            "vocab_size": 320, "hidden_size": 64, "intermediate_size": 160, "num_hidden_layers": 2, "num_attention_heads": 4""";

    static List<String> models() {
        return Goldens.MODELS;
    }

    @ParameterizedTest
    @MethodSource("models")
    void readsTheFormsOfTransformers4And5Alike(String model) {
        ModelConfig newForm = ModelConfigJson.read(Goldens.base(model).resolve("config.json"));
        ModelConfig oldForm = ModelConfigJson.read(Goldens.path("models/" + model + "/config_v4.json"));

        assertThat(newForm).isEqualTo(oldForm);
    }

    @Test
    void readsEveryFieldOfALlama() {
        ModelConfig config =
                ModelConfigJson.read(Goldens.base("llama-rope3-bf16").resolve("config.json"));

        assertThat(config)
                .isEqualTo(new ModelConfig(
                        "llama",
                        320,
                        96,
                        160,
                        3,
                        4,
                        2,
                        24,
                        1e-5,
                        0.02,
                        false,
                        256,
                        "bfloat16",
                        List.of(2),
                        OptionalInt.of(1),
                        OptionalInt.of(0),
                        Optional.empty(),
                        DecoderTraits.builder().build(),
                        Collections.nCopies(
                                3,
                                new LayerTraits(
                                        OptionalInt.empty(),
                                        Optional.of(new RotarySpec(500, new RotaryScaling.Llama3(8, 1, 4, 32)))))));
    }

    @Test
    void readsWhatIsSpecialOfEachFamily() {
        ModelConfig mistral =
                ModelConfigJson.read(Goldens.base("mistral-window").resolve("config.json"));
        ModelConfig qwen2 = ModelConfigJson.read(Goldens.base("qwen2-bias").resolve("config.json"));
        ModelConfig qwen3 = ModelConfigJson.read(Goldens.base("qwen3-qknorm").resolve("config.json"));

        assertThat(windows(mistral)).containsExactly(OptionalInt.of(8), OptionalInt.of(8));
        assertThat(mistral.headSize()).isEqualTo(32);
        assertThat(mistral.querySize(0)).isEqualTo(128);
        assertThat(mistral.keyValueSize(0)).isEqualTo(64);
        assertThat(qwen2.traits().attentionBias()).isTrue();
        assertThat(qwen2.traits().outputBias()).isFalse();
        assertThat(windows(qwen2)).containsOnly(OptionalInt.empty());
        assertThat(qwen2.eosIds()).isEmpty();
        assertThat(qwen2.bosId()).isEmpty();
        assertThat(qwen3.traits().queryKeyNorm()).isEqualTo(QueryKeyNorm.EACH_HEAD);
        assertThat(qwen3.traits().attentionBias()).isFalse();
        assertThat(qwen3.tiedEmbeddings()).isTrue();
    }

    @Test
    void takesTheDefaultsOfTransformersWhereKeysAreAbsent() {
        ModelConfig llama = parse("\"model_type\": \"llama\"");
        ModelConfig mistral = parse("\"model_type\": \"mistral\"");
        ModelConfig unwindowed = parse("\"model_type\": \"mistral\", \"sliding_window\": null");
        ModelConfig qwen3 = parse("\"model_type\": \"qwen3\"");

        assertThat(llama.headSize()).isEqualTo(16);
        assertThat(llama.keyValueHeads()).isEqualTo(4);
        assertThat(llama.normEpsilon()).isEqualTo(1e-6);
        assertThat(llama.layerTraits().get(1).rotary()).hasValue(new RotarySpec(10_000, new RotaryScaling.Unscaled()));
        assertThat(llama.storedType()).isEqualTo("float32");
        assertThat(windows(mistral)).containsOnly(OptionalInt.of(4096));
        assertThat(windows(unwindowed)).containsOnly(OptionalInt.empty());
        assertThat(qwen3.headSize()).isEqualTo(128);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "\"use_sliding_window\": false, \"sliding_window\": 4096 | -1 | -1",
                "\"use_sliding_window\": true, \"sliding_window\": 64, \"max_window_layers\": 2 | -1 | -1",
                "\"use_sliding_window\": true, \"sliding_window\": 64, \"max_window_layers\": 1 | -1 | 64",
                "\"use_sliding_window\": true, \"sliding_window\": 64, \"max_window_layers\": 0 | 64 | 64",
                "\"use_sliding_window\": true, \"sliding_window\": 64, \"layer_types\": [\"sliding_attention\", \"full_attention\"] | 64 | -1",
            })
    void windowsQwenOnlyWhereItSaysSo(String fields, int first, int second) {
        List<OptionalInt> windows = windows(parse("\"model_type\": \"qwen2\", " + fields));

        assertThat(windows).extracting(window -> window.orElse(-1)).containsExactly(first, second);
    }

    @Test
    void gemma3TurnsWindowedLayersInAnotherWay() {
        ModelConfig old = parse("""
                "model_type": "gemma3_text", "rope_theta": 1000000.0, "rope_local_base_freq": 5000.0, "sliding_window_pattern": 2,
                "rope_scaling": {"rope_type": "linear", "factor": 8.0}, "sliding_window": 512""");

        assertThat(old.layerTraits())
                .containsExactly(
                        new LayerTraits(
                                OptionalInt.of(512), Optional.of(new RotarySpec(5000, new RotaryScaling.Unscaled()))),
                        new LayerTraits(
                                OptionalInt.empty(),
                                Optional.of(new RotarySpec(1_000_000, new RotaryScaling.Linear(8)))));
        assertThat(old.headSize()).isEqualTo(256);
        assertThat(old.tiedEmbeddings()).isTrue();
        assertThat(old.attentionScale()).isEqualTo(0.0625);
    }

    @ParameterizedTest
    @ValueSource(strings = {"llama", "ministral3", "qwen3_5_text"})
    void takesTheOlderScalingWhereTheNewOneIsBesideIt(String family) {
        ModelConfig config = parse("""
                "model_type": "%s", "layer_types": ["full_attention", "full_attention"], "head_dim": 16,
                "rope_parameters": {"rope_type": "default", "rope_theta": 1000.0}, "rope_scaling": {"type": "linear", "factor": 4.0}""".formatted(family));

        RotarySpec rotary = config.layerTraits().get(0).rotary().orElseThrow();
        assertThat(rotary.scaling()).isEqualTo(new RotaryScaling.Linear(4));
        assertThat(rotary.theta()).isEqualTo(10_000);
    }

    @Test
    void anEmptyScalingSaysNothing() {
        ModelConfig config = parse("""
                "model_type": "llama", "rope_parameters": {"rope_type": "linear", "factor": 2.0, "rope_theta": 1000.0}, "rope_scaling": {}""");

        assertThat(config.layerTraits().get(0).rotary()).hasValue(new RotarySpec(1000, new RotaryScaling.Linear(2)));
    }

    @Test
    void gemma3TurnsAsItSaysOfEachKindOfLayer() {
        ModelConfig alike = parse("""
                "model_type": "gemma3_text", "sliding_window_pattern": 2, "rope_parameters": {"rope_type": "linear", "factor": 2.0}""");
        ModelConfig scaled = parse("""
                "model_type": "gemma3_text", "sliding_window_pattern": 2, "rope_scaling": {"rope_type": "linear", "factor": 8.0},
                "rope_parameters": {"full_attention": {"rope_theta": 1000.0}, "sliding_attention": {"rope_theta": 100.0}}""");

        assertThat(rotaries(alike))
                .containsExactly(
                        new RotarySpec(10_000, new RotaryScaling.Unscaled()),
                        new RotarySpec(1_000_000, new RotaryScaling.Unscaled()));
        assertThat(rotaries(scaled))
                .containsExactly(
                        new RotarySpec(100, new RotaryScaling.Unscaled()),
                        new RotarySpec(1000, new RotaryScaling.Linear(8)));
    }

    private static List<RotarySpec> rotaries(ModelConfig config) {
        return config.layerTraits().stream()
                .flatMap(layer -> layer.rotary().stream())
                .toList();
    }

    @Test
    void gemma3CapsNoScores() {
        assertThat(parse("\"model_type\": \"gemma3_text\", \"attn_logit_softcapping\": 50.0")
                        .traits()
                        .attentionCap())
                .isEmpty();
    }

    @Test
    void mistralHasWindowsInLayersThatSaySo() {
        ModelConfig config = parse("""
                "model_type": "mistral", "layer_types": ["full_attention", "sliding_attention"], "sliding_window": 64""");

        assertThat(windows(config)).containsExactly(OptionalInt.empty(), OptionalInt.of(64));
    }

    @Test
    void smolLm3HasWindowsInLayersThatSaySo() {
        ModelConfig config = parse("""
                "model_type": "smollm3", "layer_types": ["full_attention", "sliding_attention"], "sliding_window": 64""");

        assertThat(windows(config)).containsExactly(OptionalInt.empty(), OptionalInt.of(64));
    }

    @Test
    void capsGemma2UnlessItSaysNull() {
        assertThat(parse("\"model_type\": \"gemma2\"").traits().attentionCap()).hasValue(50);
        assertThat(parse("\"model_type\": \"gemma2\", \"attn_logit_softcapping\": null")
                        .traits()
                        .attentionCap())
                .isEmpty();
    }

    @Test
    void smolLm3LeavesEveryFourthLayerUnturned() {
        ModelConfig config = parse("\"model_type\": \"smollm3\", \"no_rope_layer_interval\": 2");

        assertThat(config.layerTraits())
                .extracting(layer -> layer.rotary().isPresent())
                .containsExactly(true, false);
    }

    @Test
    void readsOneOrSeveralEndTokens() {
        assertThat(parse("\"model_type\": \"llama\", \"eos_token_id\": 7").eosIds())
                .containsExactly(7);
        assertThat(parse("\"model_type\": \"llama\", \"eos_token_id\": [7, 9]").eosIds())
                .containsExactly(7, 9);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "\"model_type\": \"gpt2\" | Unsupported model_type 'gpt2' in config.json: expected llama, mistral, ministral, ministral3, qwen2, qwen3, qwen3_moe, qwen3_5_text, gemma2, gemma3_text, gemma4_text, gemma4_unified_text, gpt_oss, granite, granitemoehybrid, olmo2, olmo3, phi3, smollm3",
                "\"vocab\": 1 | Cannot read config.json: expected a text for model_type, found nothing",
                "\"model_type\": \"llama\", \"hidden_act\": \"gelu\" | Unsupported hidden_act 'gelu' in config.json: expected silu or gelu_pytorch_tanh",
                "\"model_type\": \"llama\", \"partial_rotary_factor\": 0.5 | Unsupported partial_rotary_factor '0.5' in config.json: expected 1",
                "\"model_type\": \"llama\", \"rope_scaling\": {\"type\": \"longrope\"} | Unsupported rope_type 'longrope' in config.json: expected default, linear, dynamic, llama3 or yarn",
                "\"model_type\": \"llama\", \"rope_scaling\": {\"type\": \"linear\"} | Cannot read config.json: expected a number for factor, found nothing",
                "\"model_type\": \"llama\", \"quantization_config\": {\"quant_method\": \"gptq\"} | Unsupported quant_method 'gptq' in config.json: expected bitsandbytes or fp8",
                "\"model_type\": \"llama\", \"quantization_config\": {\"load_in_8bit\": true} | Unsupported load_in_8bit 'true' in config.json: expected a 4-bit or an unquantised model",
                "\"model_type\": \"llama\", \"head_dim\": 15 | Cannot read config.json: expected an even head size, found 15",
                "\"model_type\": \"llama\", \"head_dim\": 0 | Cannot read config.json: expected a number of at least 1 for head_dim, found 0",
                "\"model_type\": \"llama\", \"num_key_value_heads\": 3 | Cannot read config.json: expected num_attention_heads to be a multiple of num_key_value_heads, found 4 and 3",
                "\"model_type\": \"llama\", \"rms_norm_eps\": \"small\" | Cannot read config.json: expected a number for rms_norm_eps, found \"small\"",
                "\"model_type\": \"llama\", \"tie_word_embeddings\": 1 | Cannot read config.json: expected true or false for tie_word_embeddings, found 1",
                "\"model_type\": \"llama\", \"eos_token_id\": [\"x\"] | Cannot read config.json: expected whole numbers for eos_token_id, found [\"x\"]",
                "\"model_type\": \"llama\", \"bos_token_id\": 1.5 | Cannot read config.json: expected a whole number for bos_token_id, found 1.5",
                "\"model_type\": \"llama\", \"rope_parameters\": 3 | Cannot read config.json: expected an object for rope_parameters, found 3",
                "\"model_type\": \"qwen2\", \"use_sliding_window\": true, \"layer_types\": [\"linear_attention\"] | Unsupported layer_types 'linear_attention' in config.json: expected full_attention or sliding_attention",
                "\"model_type\": \"gemma2\", \"use_bidirectional_attention\": true | Unsupported use_bidirectional_attention 'true' in config.json: expected attention to earlier tokens only",
                "\"model_type\": \"phi3\", \"rope_scaling\": {\"type\": \"yarn\"} | Unsupported rope_type 'yarn' in config.json: expected default",
            })
    void refusesWhatItCannotCompute(String fields, String message) {
        assertThatThrownBy(() -> parse(fields))
                .isInstanceOf(InvalidWeightsException.class)
                .hasMessage(message);
    }

    @Test
    void refusesMoreLayersThanAModelHas() {
        String text = """
                {"model_type": "llama", "vocab_size": 320, "hidden_size": 64, "intermediate_size": 160,
                 "num_hidden_layers": 65536, "num_attention_heads": 4}""";

        assertThatThrownBy(() -> ModelConfigJson.parse("config.json", text))
                .isInstanceOf(InvalidWeightsException.class)
                .hasMessage(
                        "Cannot read config.json: expected a number of at most 1024 for num_hidden_layers, found 65536");
    }

    @Test
    void refusesHeadsThatDoNotDivideTheHiddenSize() {
        String text = """
                {"model_type": "llama", "vocab_size": 320, "hidden_size": 64, "intermediate_size": 160,
                 "num_hidden_layers": 2, "num_attention_heads": 5}""";

        assertThatThrownBy(() -> ModelConfigJson.parse("config.json", text))
                .isInstanceOf(InvalidWeightsException.class)
                .hasMessage(
                        "Cannot read config.json: expected hidden_size to be a multiple of num_attention_heads, found 64 and 5");
    }

    @Test
    void refusesTextThatIsNotAJsonObject() {
        assertThatThrownBy(() -> ModelConfigJson.parse("config.json", "[1]"))
                .isInstanceOf(InvalidWeightsException.class)
                .hasMessage("Cannot read config.json: expected a JSON object, found [1]");
        assertThatThrownBy(() -> ModelConfigJson.parse("config.json", ""))
                .isInstanceOf(InvalidWeightsException.class)
                .hasMessage("Cannot read config.json: expected a JSON object, found nothing");
        assertThatThrownBy(() -> ModelConfigJson.parse("config.json", "{\"a\": }"))
                .isInstanceOf(InvalidWeightsException.class)
                .hasMessageMatching(
                        "Cannot read config\\.json: expected a JSON object, found text that is not JSON \\(.* at character [67]\\)");
    }

    @Test
    void saysThatTheFileIsMissing(@TempDir Path folder) {
        Path file = folder.resolve("config.json");

        assertThatThrownBy(() -> ModelConfigJson.read(file))
                .isInstanceOf(InvalidWeightsException.class)
                .hasMessage(
                        "Cannot read %s: the file does not exist. Is its folder a Hugging Face model?".formatted(file));
    }

    private static List<OptionalInt> windows(ModelConfig config) {
        return config.layerTraits().stream().map(LayerTraits::window).toList();
    }

    private static ModelConfig parse(String fields) {
        return ModelConfigJson.parse("config.json", "{%s, %s}".formatted(fields, SIZES));
    }
}
