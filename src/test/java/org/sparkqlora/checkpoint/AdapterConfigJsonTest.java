package org.sparkqlora.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.sparkqlora.model.layout.FactorInitialization;
import org.sparkqlora.model.layout.LoraSpec;
import org.sparkqlora.model.layout.TargetModules;
import org.sparkqlora.weights.safetensors.FieldsJson;
import org.sparkqlora.weights.safetensors.InvalidWeightsException;

class AdapterConfigJsonTest {
    static List<String> adapters() {
        return PeftAdapters.NAMES;
    }

    @ParameterizedTest
    @MethodSource("adapters")
    void writesWhatPeftWroteUnderEveryKeyOfItsOwn(String adapter) throws IOException {
        String golden = Files.readString(PeftAdapters.path(adapter).resolve("adapter_config.json"));
        AdapterConfig config = AdapterConfigJson.parse("golden", golden);
        String written = AdapterConfigJson.write(config);
        JsonNode expected = FieldsJson.parse("golden", golden).node();

        assertThat(AdapterConfigJson.parse("written", written)).isEqualTo(config);
        FieldsJson.parse("written", written)
                .node()
                .fields()
                .forEachRemaining(field ->
                        assertThat(field.getValue()).as(field.getKey()).isEqualTo(expected.get(field.getKey())));
    }

    @Test
    void readsRanksAndAlphasByModule() throws IOException {
        AdapterConfig config = AdapterConfigJson.parse(
                "golden",
                Files.readString(
                        PeftAdapters.path("llama-tied/variants/patterns").resolve("adapter_config.json")));

        assertThat(config.baseModel()).isEqualTo("base");
        assertThat(config.lora().rankPattern()).isEqualTo(Map.of("layers.1.mlp.down_proj", 12, "q_proj", 4));
        assertThat(config.lora().alphaPattern()).isEqualTo(Map.of("layers.0.mlp.gate_proj", 4.0, "v_proj", 32.0));
    }

    @Test
    void readsAllNotationsOfTargets() {
        assertThat(targets("\"all-linear\"")).isEqualTo(new TargetModules.AllLinear());
        assertThat(targets("\".*\\\\.(q|k)_proj\"")).isEqualTo(new TargetModules.Expression(".*\\.(q|k)_proj"));
        assertThat(targets("[\"q_proj\", \"o_proj\"]")).isEqualTo(new TargetModules.Names(List.of("q_proj", "o_proj")));
        assertThat(targets("null")).isEqualTo(new TargetModules.Names(List.of("q_proj", "v_proj")));
    }

    @Test
    void writesAndReadsWhatNarrowsTheTargets() {
        AdapterConfig config = new AdapterConfig(
                new LoraSpec(
                                4,
                                8,
                                0.1,
                                new TargetModules.Narrowed(
                                        new TargetModules.Names(List.of("k_proj", "q_proj")),
                                        new TargetModules.Expression(".*0.*k_proj"),
                                        List.of(0, 2)),
                                false,
                                false,
                                Map.of(),
                                Map.of())
                        .withInitialization(FactorInitialization.Drawn.GAUSSIAN),
                "base");

        String written = AdapterConfigJson.write(config);

        assertThat(AdapterConfigJson.parse("written", written)).isEqualTo(config);
        JsonNode node = FieldsJson.parse("written", written).node();
        assertThat(node.get("target_modules")).hasToString("[\"k_proj\",\"q_proj\"]");
        assertThat(node.get("exclude_modules")).hasToString("\".*0.*k_proj\"");
        assertThat(node.get("layers_to_transform")).hasToString("[0,2]");
        assertThat(node.get("init_lora_weights")).hasToString("\"gaussian\"");
    }

    @Test
    void readsOneLayerAsAListOfOne() {
        AdapterConfig config = AdapterConfigJson.parse(
                "c",
                "{\"peft_type\": \"LORA\", \"target_modules\": [\"q_proj\"], \"layers_to_transform\": 3, \"layers_pattern\": \"layers\"}");

        assertThat(config.lora().targets())
                .isEqualTo(new TargetModules.Narrowed(new TargetModules.Names(List.of("q_proj")), null, List.of(3)));
    }

    @Test
    void takesTheDefaultsOfPeft() {
        AdapterConfig config = AdapterConfigJson.parse("c", "{\"peft_type\": \"LORA\", \"unknown\": 3}");

        assertThat(config)
                .isEqualTo(new AdapterConfig(
                        new LoraSpec(
                                8,
                                8,
                                0,
                                new TargetModules.Names(List.of("q_proj", "v_proj")),
                                false,
                                false,
                                Map.of(),
                                Map.of()),
                        ""));
    }

    @Test
    void writesTextAsPythonDoes() {
        LoraSpec lora = new LoraSpec(
                16,
                12.5,
                0.05,
                new TargetModules.Names(List.of("v_proj", "q_proj")),
                true,
                false,
                Map.of("q_proj", 4),
                Map.of());

        assertThat(AdapterConfigJson.write(new AdapterConfig(lora, "meta/Llama")))
                .isEqualTo("""
                        {
                          "alpha_pattern": {},
                          "auto_mapping": null,
                          "base_model_name_or_path": "meta/Llama",
                          "bias": "none",
                          "fan_in_fan_out": false,
                          "inference_mode": true,
                          "init_lora_weights": true,
                          "layers_pattern": null,
                          "layers_to_transform": null,
                          "lora_alpha": 12.5,
                          "lora_dropout": 0.05,
                          "modules_to_save": null,
                          "peft_type": "LORA",
                          "r": 16,
                          "rank_pattern": {
                            "q_proj": 4
                          },
                          "revision": null,
                          "target_modules": [
                            "q_proj",
                            "v_proj"
                          ],
                          "task_type": "CAUSAL_LM",
                          "use_dora": false,
                          "use_rslora": true
                        }""");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{\"r\": 8} | Cannot read c: expected a text for peft_type, found nothing",
                "{\"peft_type\": \"IA3\"} | Unsupported adapter in c: expected peft_type LORA, found IA3",
                "{\"peft_type\": \"LORA\", \"bias\": \"all\", \"fan_in_fan_out\": true, \"layer_replication\": [[0, 2]]} | Unsupported adapter in c: expected bias none, found all; expected fan_in_fan_out false, found true; expected no layer_replication, found [[0,2]]",
                "{\"peft_type\": \"LORA\", \"target_modules\": [\"q_proj\"], \"modules_to_save\": [\"norm\"]} | Cannot load adapter of c: Unsupported module to save 'norm': expected some of [embed_tokens, lm_head]",
                "{\"peft_type\": \"LORA\", \"init_lora_weights\": \"pissa_niter_4\"} | Unsupported adapter in c: expected an adapter of the base as it was, found one of what init_lora_weights pissa_niter_4 left of it. Save it with PEFT's path_initial_model_for_weight_conversion",
                "{\"peft_type\": \"LORA\", \"init_lora_weights\": \"OLoRA\"} | Unsupported adapter in c: expected an adapter of the base as it was, found one of what init_lora_weights OLoRA left of it. Save it with PEFT's path_initial_model_for_weight_conversion",
                "{\"peft_type\": \"LORA\", \"target_modules\": []} | Cannot read c: expected module names for target_modules, found []",
                "{\"peft_type\": \"LORA\", \"r\": 0} | Cannot read c: expected a number of at least 1 for r, found 0",
                "{\"peft_type\": \"LORA\", \"rank_pattern\": {\"q\": \"x\"}} | Cannot read c: expected a whole number for q, found \"x\"",
            })
    void refusesWhatItDoesNotTrain(String text, String message) {
        assertThatThrownBy(() -> AdapterConfigJson.parse("c", text))
                .isInstanceOf(InvalidWeightsException.class)
                .hasMessage(message);
    }

    private static TargetModules targets(String json) {
        return AdapterConfigJson.parse("c", "{\"peft_type\": \"LORA\", \"target_modules\": %s}".formatted(json))
                .lora()
                .targets();
    }
}
