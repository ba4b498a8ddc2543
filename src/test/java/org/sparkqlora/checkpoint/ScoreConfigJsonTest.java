package org.sparkqlora.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.sparkqlora.JsonValues;
import org.sparkqlora.data.Labels;
import org.sparkqlora.data.ProblemType;

class ScoreConfigJsonTest {
    private static final String LLAMA =
            "{\"model_type\": \"llama\", \"architectures\": [\"LlamaForCausalLM\"], \"eos_token_id\": [7, 8]}";

    @ParameterizedTest
    @EnumSource(ProblemType.class)
    void labelsComeBack(ProblemType problem) {
        Labels labels = new Labels(problem, List.of("sad", "glad"));

        String text = ScoreConfigJson.write(LLAMA, Optional.of(labels));

        assertThat(ScoreConfigJson.read("config.json", text)).contains(labels);
    }

    @Test
    void theBaseScoresTextsAndPadsWithTheEndWhereItHasNoPadding() {
        Map<String, Object> config = JsonValues.of(ScoreConfigJson.write(LLAMA, Optional.empty()));

        assertThat(config)
                .containsEntry("architectures", List.of("LlamaForSequenceClassification"))
                .containsEntry("id2label", Map.of("0", "LABEL_0"))
                .containsEntry("label2id", Map.of("LABEL_0", 0))
                .containsEntry("pad_token_id", 7)
                .doesNotContainKey("problem_type");
        assertThat(ScoreConfigJson.read("config.json", ScoreConfigJson.write(LLAMA, Optional.empty())))
                .isEmpty();
    }

    @Test
    void aModelThatSeesImagesIsTheTextModelWithinIt() {
        String whole = """
                {"model_type": "qwen3_5", "architectures": ["Qwen3_5ForConditionalGeneration"], "pad_token_id": 3,
                 "text_config": {"model_type": "qwen3_5_text", "hidden_size": 64}}
                """;

        assertThat(JsonValues.of(ScoreConfigJson.write(whole, Optional.empty())))
                .containsEntry("model_type", "qwen3_5_text")
                .containsEntry("architectures", List.of("Qwen3_5ForSequenceClassification"))
                .containsEntry("hidden_size", 64)
                .containsEntry("pad_token_id", 3)
                .doesNotContainKey("text_config");
    }
}
