package org.sparkqlora.run.model;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.model.LoraSpec;
import org.sparkqlora.model.adapter.TargetModules;
import org.sparkqlora.weights.family.ModelConfig;
import org.sparkqlora.weights.family.ModelConfigJson;

/** Adapters on the projections of Qwen 3.5; those that all families have are tested with the options. */
class TargetCheckTest {
    private static final ModelConfig QWEN =
            ModelConfigJson.read(Path.of("src/test/resources/goldens/models/qwen3_5_text/base/config.json"));

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

    private static LoraSpec lora(String targets) {
        return new LoraSpec(8, 16, 0, TargetModules.parse(targets), false, false, Map.of(), Map.of());
    }
}
