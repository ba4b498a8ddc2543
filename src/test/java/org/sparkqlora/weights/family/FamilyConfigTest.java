package org.sparkqlora.weights.family;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sparkqlora.weights.safetensors.InvalidWeightsException;

/** What the configs of the families of 2026 mean, and what of them is refused. */
class FamilyConfigTest {
    private static final String SIZES = """
            "vocab_size": 320, "hidden_size": 64, "intermediate_size": 160, "num_hidden_layers": 2, "num_attention_heads": 4""";

    @Test
    void ministral3TurnsAsTransformersSaysWhereTheConfigDoesNot() {
        ModelConfig config = parse("\"model_type\": \"ministral3\"");

        RotarySpec rotary = config.layerTraits().get(0).rotary().orElseThrow();
        assertThat(rotary.scaling()).isEqualTo(new RotaryScaling.Yarn(16, 1, 32, 1, 16_384, true));
        assertThat(rotary.queryScaling()).hasValue(new RotarySpec.QueryScaling(0.1, 16_384));
        assertThat(config.layerTraits().get(0).window()).isEmpty();
        assertThat(config.headSize()).isEqualTo(128);
    }

    @Test
    void ministral3TurnsByTheCommonBaseWhereItsParametersNameNone() {
        ModelConfig config = parse("\"model_type\": \"ministral3\", \"rope_parameters\": {\"rope_type\": \"default\"}");

        assertThat(config.layerTraits().get(0).rotary()).hasValue(new RotarySpec(10_000, new RotaryScaling.Unscaled()));
    }

    @Test
    void queriesGrowByTheLogarithmOfTheContextsBehindThem() {
        RotarySpec.QueryScaling scaling = new RotarySpec.QueryScaling(0.1, 16_384);

        assertThat(scaling.factor(0)).isEqualTo(1);
        assertThat(scaling.factor(16_383)).isEqualTo(1);
        assertThat(scaling.factor(16_384)).isEqualTo(1 + 0.1 * Math.log(2));
        assertThat(scaling.factor(70_000)).isEqualTo(1 + 0.1 * Math.log(5));
    }

    @Test
    void olmo3StretchesTheWavesOfItsFullLayersOnly() {
        ModelConfig config = parse("""
                "model_type": "olmo3", "layer_types": ["sliding_attention", "full_attention"], "sliding_window": 64, "rope_theta": 1000.0,
                "rope_scaling": {"rope_type": "yarn", "factor": 8.0, "original_max_position_embeddings": 8192,
                                 "attention_factor": 1.2, "beta_fast": 32, "beta_slow": 1}""");

        assertThat(config.layerTraits())
                .containsExactly(
                        new LayerTraits(
                                OptionalInt.of(64), Optional.of(new RotarySpec(1000, new RotaryScaling.Unscaled()))),
                        new LayerTraits(
                                OptionalInt.empty(),
                                Optional.of(new RotarySpec(1000, new RotaryScaling.Yarn(8, 1.2, 32, 1, 8192, true)))));
    }

    /** The shape of E2B, alone and in the config of the whole model. */
    private static final String GEMMA4 = """
            "model_type": "gemma4_text", "vocab_size": 320, "hidden_size": 64, "intermediate_size": 160, "num_attention_heads": 4,
            "num_hidden_layers": 4, "num_key_value_heads": 2, "head_dim": 16, "global_head_dim": 32,
            "layer_types": ["sliding_attention", "full_attention", "sliding_attention", "sliding_attention"], %s""";

    private static ModelConfig gemma4(String more) {
        return ModelConfigJson.parse("config.json", "{%s}".formatted(GEMMA4.formatted(more)));
    }

    @Test
    void laterLayersOfGemma4TakeKeysAndValuesOfTheLastOfTheirKindThatHasSome() {
        ModelConfig config = gemma4("\"num_kv_shared_layers\": 2, \"use_double_wide_mlp\": true");

        assertThat(IntStream.range(0, 4).map(config::keysOf)).containsExactly(0, 1, 0, 1);
        assertThat(IntStream.range(0, 4).map(config::headSize)).containsExactly(16, 32, 16, 32);
        assertThat(IntStream.range(0, 4).map(layer -> config.intermediateSize(layer) / config.intermediateSize()))
                .containsExactly(1, 1, 2, 2);
        assertThat(DecoderTensors.of(config).shapes())
                .containsKeys("model.layers.1.self_attn.k_proj.weight", "model.layers.1.self_attn.k_norm.weight")
                .doesNotContainKeys(
                        "model.layers.2.self_attn.k_proj.weight",
                        "model.layers.2.self_attn.v_proj.weight",
                        "model.layers.2.self_attn.k_norm.weight");
    }

    @Test
    void wholeLayersOfGemma4MayMakeValuesOfKeys() {
        ModelConfig config = gemma4(
                "\"attention_k_eq_v\": true, \"num_global_key_value_heads\": 1, \"hidden_size_per_layer_input\": 0");

        assertThat(config.keyValueHeads(0)).isEqualTo(2);
        assertThat(config.keyValueHeads(1)).isEqualTo(1);
        assertThat(DecoderTensors.of(config).shapes())
                .containsKeys("model.layers.0.self_attn.v_proj.weight", "model.layers.1.layer_scalar")
                .doesNotContainKeys("model.layers.1.self_attn.v_proj.weight", PerLayerInput.EMBEDDING);
    }

    @Test
    void sizesOfGemma4AreReadByLayerAsTransformersWritesThem() {
        ModelConfig config = gemma4(
                "\"per_layer_config\": {\"1\": {\"head_dim\": 24, \"num_key_value_heads\": 1}, \"3\": {\"head_dim\": 40}}");

        assertThat(IntStream.range(0, 4).map(config::headSize)).containsExactly(16, 24, 16, 40);
        assertThat(IntStream.range(0, 4).map(config::keyValueHeads)).containsExactly(2, 1, 2, 2);
    }

    /** The shape of Qwen 3 with experts. */
    private static final String QWEN3_MOE = """
            "model_type": "qwen3_moe", "vocab_size": 320, "hidden_size": 64, "intermediate_size": 160, "num_attention_heads": 4,
            "num_hidden_layers": 4, "num_key_value_heads": 2, "num_experts": 6, "num_experts_per_tok": 3, "moe_intermediate_size": 48, %s""";

    private static ModelConfig qwen3Moe(String more) {
        return ModelConfigJson.parse("config.json", "{%s}".formatted(QWEN3_MOE.formatted(more)));
    }

    @Test
    void someLayersOfAMixtureAreDense() {
        ModelConfig config = qwen3Moe("\"decoder_sparse_step\": 2, \"mlp_only_layers\": [3], \"norm_topk_prob\": true");

        assertThat(IntStream.range(0, 4).filter(config::isMixture)).containsExactly(1);
        assertThat(config.mixture()).isEqualTo(new Mixture(6, 3, 48, true));
        assertThat(DecoderTensors.of(config).shapes())
                .containsKeys("model.layers.0.mlp.gate_proj.weight", "model.layers.1.mlp.gate.weight")
                .containsKeys("model.layers.1.mlp.experts.5.down_proj.weight")
                .doesNotContainKeys(
                        "model.layers.1.mlp.gate_proj.weight", "model.layers.1.mlp.experts.6.up_proj.weight");
        assertThat(DecoderTensors.of(config).projections())
                .contains("model.layers.1.mlp.experts.5.down_proj.weight")
                .doesNotContain("model.layers.1.mlp.gate.weight");
    }

    /** The shape of gpt-oss. */
    private static final String GPT_OSS = """
            "model_type": "gpt_oss", "vocab_size": 320, "hidden_size": 64, "intermediate_size": 48, "num_attention_heads": 4,
            "num_hidden_layers": 3, "num_key_value_heads": 2, "num_local_experts": 6, "num_experts_per_tok": 3 %s""";

    private static ModelConfig gptOss(String more) {
        return ModelConfigJson.parse("config.json", "{%s}".formatted(GPT_OSS.formatted(more)));
    }

    @Test
    void gptOssHasWindowsSinksAndClampsWhereTheConfigIsSilent() {
        ModelConfig config = gptOss("");

        assertThat(config.layerTraits().stream().map(LayerTraits::window))
                .containsExactly(OptionalInt.of(128), OptionalInt.empty(), OptionalInt.of(128));
        assertThat(config.mixture().clamp()).contains(new GateClamp(1.702, 7));
        assertThat(config.headSize()).isEqualTo(64);
        RotarySpec rotary = config.layerTraits().get(0).rotary().orElseThrow();
        assertThat(rotary.theta()).isEqualTo(150_000);
        assertThat(rotary.scaling()).isEqualTo(new RotaryScaling.Yarn(32, 0.1 * Math.log(32) + 1, 32, 1, 4096, false));
        assertThat(DecoderTensors.of(config).shapes())
                .containsKeys("model.layers.2.mlp.experts.5.down_proj.weight", "model.layers.2.mlp.router.bias")
                .containsKeys("model.layers.0.self_attn.sinks", "model.layers.1.mlp.experts.gate_up_proj_bias");
    }

    @Test
    void onlyGptOssIsReadInMxfp4() {
        String quantized = ", \"quantization_config\": {\"quant_method\": \"mxfp4\"}";

        assertThat(gptOss(quantized).modelType()).isEqualTo("gpt_oss");
        assertThatThrownBy(() -> qwen3Moe(quantized.substring(1)))
                .isInstanceOf(InvalidWeightsException.class)
                .hasMessage("Unsupported quant_method 'mxfp4' in config.json: expected bitsandbytes or fp8");
    }

    @Test
    void aTokenMeetsTheWeightsOfItsExpertsAlone() {
        DecoderTensors tensors = DecoderTensors.of(qwen3Moe("\"mlp_only_layers\": [0, 1, 2]"));

        assertThat(tensors.elements() - tensors.activeElements()).isEqualTo(3 * 3 * 48 * 64);
    }

    @Test
    void aMixtureOfNoExpertsIsDense() {
        ModelConfig config = ModelConfigJson.parse(
                "config.json",
                "{%s}"
                        .formatted(QWEN3_MOE
                                .formatted("\"use_cache\": true")
                                .replace("\"num_experts\": 6", "\"num_experts\": 0")));

        assertThat(IntStream.range(0, 4).noneMatch(config::isMixture)).isTrue();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "\"num_experts_per_tok\": 3 | \"num_experts_per_tok\": 7 | Unsupported num_experts_per_tok '7' in config.json: expected at most num_experts, which is 6",
                "\"num_experts\": 6 | \"num_experts\": 5000 | Unsupported num_experts '5000' in config.json: expected 0 to 4096",
            })
    void expertsThatCannotBeAreRefused(String said, String instead, String message) {
        String text = QWEN3_MOE.formatted("\"use_cache\": true").replace(said, instead);

        assertThatThrownBy(() -> ModelConfigJson.parse("config.json", "{%s}".formatted(text)))
                .isInstanceOf(InvalidWeightsException.class)
                .hasMessage(message);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "\"enable_moe_block\": true | Unsupported enable_moe_block 'true' in config.json: expected false: layers of experts are not computed",
                "\"use_bidirectional_attention\": \"all\" | Unsupported use_bidirectional_attention 'all' in config.json: expected null or vision: text attends to earlier tokens only",
                "\"num_kv_shared_layers\": 3 | Unsupported num_kv_shared_layers '3' in config.json: expected a layer of each kind with keys and values of its own before those that share them",
                "\"vocab_size_per_layer_input\": 8 | Unsupported vocab_size_per_layer_input '8' in config.json: expected a row for each of vocab_size tokens",
                "\"per_layer_config\": {\"1\": {\"sliding_window\": 4}} | Unsupported per_layer_config 'sliding_window' in config.json: expected head_dim or num_key_value_heads"
            })
    void refusesWhatOfGemma4IsNotComputed(String key, String message) {
        assertThatThrownBy(() -> gemma4(key))
                .isInstanceOf(InvalidWeightsException.class)
                .hasMessage(message);
    }

    @Test
    void granite4TakesTheWidthOfWhatExpertsWouldShare() {
        ModelConfig config = parse("""
                "model_type": "granitemoehybrid", "num_local_experts": 0, "shared_intermediate_size": 96,
                "layer_types": ["attention", "attention"], "position_embedding_type": "rope\"""");

        assertThat(config.intermediateSize()).isEqualTo(96);
        assertThat(DecoderTensors.of(config).shapes().get("model.layers.1.shared_mlp.input_linear.weight"))
                .containsExactly(192, 64);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "\"num_local_experts\": 72 | Unsupported num_local_experts '72' in config.json: expected 0: a model without experts",
                "\"num_local_experts\": 0, \"layer_types\": [\"mamba\", \"attention\"] | Unsupported layer_types 'mamba' in config.json: expected attention in every layer; Mamba is not computed",
                "\"num_local_experts\": 0 | Cannot read config.json: expected attention for each layer for layer_types, found nothing",
                "\"num_local_experts\": 0, \"layer_types\": [\"attention\", \"attention\"], \"position_embedding_type\": \"alibi\" | Unsupported position_embedding_type 'alibi' in config.json: expected rope or nope",
            })
    void refusesWhatGranite4HasBesideAttention(String fields, String message) {
        assertThatThrownBy(() ->
                        parse("\"model_type\": \"granitemoehybrid\", \"shared_intermediate_size\": 96, " + fields))
                .isInstanceOf(InvalidWeightsException.class)
                .hasMessage(message);
    }

    @Test
    void aModelThatSeesImagesIsReadAsItsTextModel() {
        ModelConfig config = ModelConfigJson.parse("config.json", """
                {"model_type": "qwen3_5", "tie_word_embeddings": true, "dtype": "bfloat16", "vision_config": {"hidden_size": 16},
                 "text_config": {%s, "eos_token_id": 7, "head_dim": 16, "full_attention_interval": 2}}""".formatted(SIZES));

        assertThat(config.modelType()).isEqualTo("qwen3_5_text");
        assertThat(config.tiedEmbeddings()).isTrue();
        assertThat(config.storedType()).isEqualTo("bfloat16");
        assertThat(config.eosIds()).containsExactly(7);
        assertThat(config.mixing(0)).isEqualTo(TokenMixing.DELTA_NET);
        assertThat(config.mixing(1)).isEqualTo(TokenMixing.ATTENTION);
    }

    @Test
    void mistral3SaysMistralWhereItsTextModelSaysNothing() {
        ModelConfig config = ModelConfigJson.parse(
                "config.json", "{\"model_type\": \"mistral3\", \"text_config\": {%s}}".formatted(SIZES));

        assertThat(config.modelType()).isEqualTo("mistral");
    }

    @Test
    void qwen35TurnsAQuarterOfEachHead() {
        ModelConfig config = parse("\"model_type\": \"qwen3_5_text\", \"full_attention_interval\": 1");

        RotarySpec rotary = config.layerTraits().get(0).rotary().orElseThrow();
        assertThat(rotary.width(config.headSize())).isEqualTo(64);
        assertThat(rotary.frequencies(256, 8)).hasSize(32);
        assertThat(config.deltaNet()).isEqualTo(new DeltaNetShape(16, 32, 128, 128, 4));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "\"hidden_act\": \"gelu_pytorch_tanh\" | Unsupported hidden_act 'gelu_pytorch_tanh' in config.json: expected silu",
                "\"attn_output_gate\": false | Unsupported attn_output_gate 'false' in config.json: expected true",
                "\"linear_conv_kernel_dim\": 1 | Unsupported linear_conv_kernel_dim '1' in config.json: expected at least 2",
                "\"head_dim\": 12, \"layer_types\": [\"full_attention\"] | Unsupported partial_rotary_factor '0.25' in config.json: expected an even number of the 12 elements of a head",
                "\"linear_num_value_heads\": 24 | Unsupported linear_num_value_heads '24' in config.json: expected a multiple of linear_num_key_heads, 16",
                "\"layer_types\": [\"sliding_attention\"] | Unsupported layer_types 'sliding_attention' in config.json: expected full_attention or linear_attention",
            })
    void refusesWhatQwen35DoesNotCompute(String fields, String message) {
        assertThatThrownBy(() -> parse("\"model_type\": \"qwen3_5_text\", " + fields))
                .isInstanceOf(InvalidWeightsException.class)
                .hasMessage(message);
    }

    private static ModelConfig parse(String fields) {
        return ModelConfigJson.parse("config.json", "{%s, %s}".formatted(fields, SIZES));
    }
}
