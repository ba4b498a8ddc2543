package org.sparkqlora.spark.mlflow;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.snakeyaml.engine.v2.api.Dump;
import org.snakeyaml.engine.v2.api.DumpSettings;
import org.snakeyaml.engine.v2.common.FlowStyle;

/** {@code MLmodel}, and the environments that it names. */
final class MlflowModelYaml {
    private static final String PYTHON = "3.11";
    private static final String STRING = "{\"type\": \"string\", \"required\": true";
    private static final String MESSAGE =
            "{\"type\": \"object\", \"properties\": {\"role\": %1$s}, \"content\": {\"type\": \"string\", \"required\": false}}"
                    .formatted(STRING);
    private static final String SAMPLING = """
            {"type": "double", "name": "temperature", "required": false}, \
            {"type": "double", "name": "top_p", "required": false}, \
            {"type": "long", "name": "max_tokens", "required": false}, \
            {"type": "array", "items": {"type": "string"}, "name": "stop", "required": false}, \
            {"type": "long", "name": "n", "required": false}, \
            {"type": "boolean", "name": "stream", "required": false}]""";
    private static final String ANSWER = """
            [%1$s, "name": "id"}, %1$s, "name": "object"}, \
            {"type": "long", "name": "created", "required": true}, %1$s, "name": "model"}, \
            {"type": "array", "items": {"type": "object", "properties": {"index": {"type": "long", "required": true}, \
            "finish_reason": %1$s}, %2$s}}, "name": "choices", "required": true}, \
            {"type": "object", "properties": {"completion_tokens": {"type": "long", "required": true}, \
            "prompt_tokens": {"type": "long", "required": true}, "total_tokens": {"type": "long", "required": true}}, \
            "name": "usage", "required": false}]""";

    private MlflowModelYaml() {}

    static String model(MlflowModel model, String id, String time) {
        Map<String, Object> flavors = new LinkedHashMap<>();
        flavors.put(
                "python_function",
                Map.of(
                        "env",
                        Map.of("conda", "conda.yaml", "virtualenv", "python_env.yaml"),
                        "loader_module",
                        "mlflow.transformers",
                        "python_version",
                        PYTHON));
        flavors.put("transformers", flavor(model));
        Map<String, Object> root = new LinkedHashMap<>();
        root.put("flavors", flavors);
        root.put("metadata", Map.of("task", task(model)));
        root.put("model_uuid", id);
        root.put(
                "saved_input_example_info",
                Map.of(
                        "artifact_path",
                        MlflowModel.EXAMPLE,
                        "serving_input_path",
                        MlflowModel.SERVED_EXAMPLE,
                        "type",
                        "json_object"));
        root.put("signature", signature(model.isChat()));
        root.put("utc_time_created", time);
        return write(root);
    }

    static String conda(List<String> requirements) {
        Map<String, Object> root = new LinkedHashMap<>();
        root.put("name", "mlflow-env");
        root.put("channels", List.of("conda-forge"));
        root.put("dependencies", List.of("python=" + PYTHON, "pip", Map.of("pip", requirements)));
        return write(root);
    }

    static String environment() {
        Map<String, Object> root = new LinkedHashMap<>();
        root.put("python", PYTHON);
        root.put("build_dependencies", List.of("pip", "setuptools", "wheel"));
        root.put("dependencies", List.of("-r requirements.txt"));
        return write(root);
    }

    private static Map<String, Object> flavor(MlflowModel model) {
        Map<String, Object> flavor = new LinkedHashMap<>();
        flavor.put("task", "text-generation");
        flavor.put("inference_task", task(model));
        flavor.put("instance_type", "TextGenerationPipeline");
        flavor.put("pipeline_model_type", "AutoModelForCausalLM");
        flavor.put("source_model_name", model.source());
        flavor.put("torch_dtype", "torch." + model.type());
        flavor.put("components", List.of(MlflowModel.TOKENIZER));
        flavor.put("tokenizer_type", "AutoTokenizer");
        switch (model.weights()) {
            case WHOLE -> flavor.put("model_binary", MlflowModel.WHOLE);
            case ADAPTER_OF_FOLDER -> {
                flavor.put("peft_adaptor", MlflowModel.ADAPTER);
                flavor.put("local_base_model_path", model.source());
            }
            case ADAPTER_OF_HUB -> {
                flavor.put("peft_adaptor", MlflowModel.ADAPTER);
                flavor.put("source_model_revision", model.revision());
                flavor.put("tokenizer_name", model.source());
                flavor.put("tokenizer_revision", model.revision());
            }
        }

        return flavor;
    }

    private static String task(MlflowModel model) {
        return model.isChat() ? "llm/v1/chat" : "llm/v1/completions";
    }

    /** That of MLflow's own task, without tools. */
    private static Map<String, Object> signature(boolean isChat) {
        String asked = isChat
                ? "[{\"type\": \"array\", \"items\": %s}, \"name\": \"messages\", \"required\": true}, "
                        .formatted(MESSAGE)
                : "[%s, \"name\": \"prompt\"}, ".formatted(STRING);
        String said =
                isChat ? "\"message\": %s, \"required\": true}".formatted(MESSAGE) : "\"text\": %s}".formatted(STRING);
        Map<String, Object> signature = new LinkedHashMap<>();
        signature.put("inputs", asked + SAMPLING);
        signature.put("outputs", ANSWER.formatted(STRING, said));
        signature.put("params", null);
        return signature;
    }

    private static String write(Map<String, Object> root) {
        DumpSettings settings = DumpSettings.builder()
                .setDefaultFlowStyle(FlowStyle.BLOCK)
                .setSplitLines(false)
                .build();
        return new Dump(settings).dumpToString(root);
    }
}
