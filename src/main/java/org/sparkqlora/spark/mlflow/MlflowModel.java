package org.sparkqlora.spark.mlflow;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A language model in MLflow's flavor {@code transformers}, and as a {@code python_function} of chats or of prompts.
 *
 * @param weights where they are
 * @param source name on the hub or folder of the base
 * @param revision commit of a base on the hub; null for others
 * @param isChat whether it has a chat template
 * @param type PyTorch's name of the weights' type
 */
public record MlflowModel(
        Weights weights, String source, @Nullable String revision, boolean isChat, String type) {
    /** The folder of a model below a run's artefacts. */
    public static final String FOLDER = "mlflow-model";

    /** The folder of an adapter in it. */
    static final String ADAPTER = "peft";

    /** The folder of a whole model in it. */
    static final String WHOLE = "model";

    static final String TOKENIZER = "tokenizer";

    static final String EXAMPLE = "input_example.json";

    static final String SERVED_EXAMPLE = "serving_input_example.json";

    private static final String CHAT_EXAMPLE =
            "{\"messages\": [{\"role\": \"user\", \"content\": \"Hello\"}], \"max_tokens\": 32}";
    private static final String PROMPT_EXAMPLE = "{\"prompt\": \"Hello\", \"max_tokens\": 32}";
    private static final List<String> REQUIREMENTS =
            List.of("mlflow>=3.12", "transformers>=4.56", "peft>=0.17", "torch>=2.6", "accelerate>=1.0");

    /** The place of the weights: an adapter has its base elsewhere. */
    public enum Weights {
        ADAPTER_OF_HUB,
        ADAPTER_OF_FOLDER,
        WHOLE
    }

    /** The folder of the weights in that of the model. */
    public String weightFolder() {
        return FOLDER + "/" + (weights == Weights.WHOLE ? WHOLE : ADAPTER);
    }

    /** The folder of the tokenizer in that of the model. */
    public static String tokenizerFolder() {
        return FOLDER + "/components/" + TOKENIZER;
    }

    /**
     * The files that say what the model is.
     *
     * @param id of the model
     * @param time at which it was made
     */
    public List<MlflowFile> descriptions(String id, String time) {
        String example = isChat ? CHAT_EXAMPLE : PROMPT_EXAMPLE;
        List<MlflowFile> files = new ArrayList<>();
        files.add(text("MLmodel", MlflowModelYaml.model(this, id, time)));
        files.add(text("requirements.txt", String.join("\n", REQUIREMENTS) + "\n"));
        files.add(text("conda.yaml", MlflowModelYaml.conda(REQUIREMENTS)));
        files.add(text("python_env.yaml", MlflowModelYaml.environment()));
        files.add(text(EXAMPLE, example));
        files.add(text(SERVED_EXAMPLE, example));
        return files;
    }

    private static MlflowFile text(String name, String content) {
        byte[] bytes = content.getBytes(StandardCharsets.UTF_8);
        return new MlflowFile(FOLDER + "/" + name, bytes.length, () -> new ByteArrayInputStream(bytes));
    }
}
