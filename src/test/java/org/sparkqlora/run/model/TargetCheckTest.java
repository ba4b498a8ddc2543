package org.sparkqlora.run.model;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.model.layout.LoraSpec;
import org.sparkqlora.model.layout.TargetModules;
import org.sparkqlora.model.layout.TargetParameters;
import org.sparkqlora.weights.family.ModelConfig;
import org.sparkqlora.weights.family.ModelConfigJson;

/** Adapters on the projections of Qwen 3.5 and on the experts of gpt-oss; those that all families have are tested with the options. */
class TargetCheckTest {
    private static final ModelConfig QWEN =
            ModelConfigJson.read(Path.of("src/test/resources/goldens/models/qwen3_5_text/base/config.json"));

    private static final ModelConfig GPT_OSS =
            ModelConfigJson.read(Path.of("src/test/resources/goldens/models/gpt_oss/base/config.json"));

    @ParameterizedTest
    @ValueSource(
            strings = {
                "all-linear",
                "in_proj_qkv,in_proj_z",
                "q_proj,v_proj",
                "out_proj,in_proj_a,in_proj_b",
                "gate_proj"
            })
    void takesBothOrNeitherOfWhatServersHoldTogether(String targets) {
        assertThatCode(() -> TargetCheck.check(lora(targets), QWEN)).doesNotThrowAnyException();
    }

    @ParameterizedTest
    @ValueSource(strings = {"in_proj_qkv", "q_proj,in_proj_z", ".*in_proj_z"})
    void refusesOneWithoutTheOther(String targets) {
        assertThatThrownBy(() -> TargetCheck.check(lora(targets), QWEN))
                .isInstanceOf(BadInputException.class)
                .hasMessage(
                        "--target-modules: expected both of in_proj_qkv and in_proj_z in a layer or neither, found one of them in %s; servers hold the two as one module"
                                .formatted(targets));
    }

    @Test
    void knowsTheParametersOfEachMixture() {
        LoraSpec all = lora("all-linear").withParameters(new TargetParameters(List.of("router.weight", "down_proj")));

        assertThatCode(() -> TargetCheck.check(all, GPT_OSS)).doesNotThrowAnyException();
        assertThatThrownBy(() -> TargetCheck.check(
                        lora("q_proj,up_proj").withParameters(new TargetParameters(List.of("gate.weight"))), GPT_OSS))
                .isInstanceOf(BadInputException.class)
                .hasMessage(
                        "--target-modules: expected linear modules of the model, such as [q_proj, k_proj, v_proj, o_proj]; found up_proj, which fits none; "
                                + "--target-parameters: expected parameters of the model's experts, such as mlp.experts.down_proj; found gate.weight, which fits none");
    }

    private static LoraSpec lora(String targets) {
        return new LoraSpec(8, 16, 0, TargetModules.parse(targets), false, false, Map.of(), Map.of());
    }
}
