package org.sparkqlora.weights.gguf;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sparkqlora.weights.family.ModelConfig;
import org.sparkqlora.weights.family.ModelConfigJson;

/** The types are those that {@code llama-quantize} gives a qwen3moe of 8 experts, whose rows have 256 numbers. */
class GgufMixTest {
    private static final ModelConfig EIGHT_EXPERTS =
            ModelConfigJson.read(Path.of("src/test/resources/goldens/models/qwen3_moe-experts/base/config.json"));

    @ParameterizedTest(name = "{0}")
    @CsvSource({
        "blk.1.attn_q, Q4_0, Q4_K",
        "blk.1.attn_k, Q8_0, Q8_0",
        "blk.1.attn_v, Q8_0, Q8_0",
        "blk.1.attn_output, Q4_0, Q5_K",
        "blk.1.ffn_gate_inp, F32, F32",
        "blk.1.ffn_gate_exps, Q4_0, Q4_K",
        "blk.1.ffn_down_exps, Q4_0, Q4_K",
        "blk.2.ffn_down_exps, Q4_0, Q6_K",
        "token_embd, Q4_0, Q4_K",
        "output, Q6_K, Q6_K"
    })
    void attentionBesideEightExpertsIsKeptBetter(String tensor, GgufType q4, GgufType q4KM) {
        assertThat(typeOf(tensor, GgufOutType.Q4_0)).isEqualTo(q4);
        assertThat(typeOf(tensor, GgufOutType.Q4_K_M)).isEqualTo(q4KM);
    }

    private static GgufType typeOf(String tensor, GgufOutType outType) {
        return new GgufMix(outType, EIGHT_EXPERTS, true).typeOf(tensor + ".weight", new long[] {256, 256});
    }
}
