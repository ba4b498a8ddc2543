package org.sparkqlora.spark.mlflow;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.input.BadInputException;

/** Requests and answers of a tracking server as JSON. */
final class MlflowJson {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final String RUN_ID = "run_id";
    private static final String VALUE = "value";
    private static final int LONGEST_ANSWER = 300;
    private static final int LONGEST_VALUE = 500;

    private MlflowJson() {}

    static String named(String name) {
        return MAPPER.createObjectNode().put("name", name).toString();
    }

    static String newRun(String experiment, String name, long startMillis, Map<String, String> tags) {
        ObjectNode root = MAPPER.createObjectNode();
        root.put("experiment_id", experiment);
        root.put("run_name", name);
        root.put("start_time", startMillis);
        ArrayNode list = root.putArray("tags");
        tags.forEach((key, value) -> list.addObject().put("key", key).put(VALUE, value));
        return root.toString();
    }

    static String status(String run, String status, long endMillis) {
        ObjectNode root = MAPPER.createObjectNode().put(RUN_ID, run).put("status", status);
        if (endMillis > 0) {
            root.put("end_time", endMillis);
        }

        return root.toString();
    }

    /** Values that are too long for older servers end early. */
    static String parameters(String run, Map<String, String> parameters) {
        ObjectNode root = MAPPER.createObjectNode().put(RUN_ID, run);
        ArrayNode list = root.putArray("params");
        parameters.forEach((key, value) -> list.addObject()
                .put("key", key)
                .put(VALUE, value.substring(0, Math.min(LONGEST_VALUE, value.length()))));
        return root.toString();
    }

    static String metrics(String run, List<MlflowServer.MlflowMetric> metrics) {
        ObjectNode root = MAPPER.createObjectNode().put(RUN_ID, run);
        ArrayNode list = root.putArray("metrics");
        metrics.forEach(metric -> list.addObject()
                .put("key", metric.key())
                .put(VALUE, metric.value())
                .put("timestamp", metric.timeMillis())
                .put("step", metric.step()));
        return root.toString();
    }

    static String inputs(String run, List<MlflowInput> inputs) {
        ObjectNode root = MAPPER.createObjectNode().put(RUN_ID, run);
        ArrayNode list = root.putArray("datasets");
        for (MlflowInput input : inputs) {
            ObjectNode source = MAPPER.createObjectNode();
            input.source().forEach(source::put);
            ObjectNode entry = list.addObject();
            entry.putArray("tags").addObject().put("key", "mlflow.data.context").put(VALUE, input.context());
            entry.putObject("dataset")
                    .put("name", input.name())
                    .put("digest", input.digest())
                    .put("source_type", input.sourceType())
                    .put("source", source.toString());
        }

        return root.toString();
    }

    static String newVersion(String model, String source, String run) {
        return MAPPER.createObjectNode()
                .put("name", model)
                .put("source", source)
                .put(RUN_ID, run)
                .toString();
    }

    static String alias(String model, String alias, String version) {
        return MAPPER.createObjectNode()
                .put("name", model)
                .put("alias", alias)
                .put("version", version)
                .toString();
    }

    static String version(String answer) {
        return text(answer, "/model_version/version");
    }

    static String experimentId(String answer) {
        return text(answer, "/experiment/experiment_id");
    }

    static String createdExperimentId(String answer) {
        return text(answer, "/experiment_id");
    }

    static MlflowServer.MlflowRunId run(String answer) {
        return new MlflowServer.MlflowRunId(text(answer, "/run/info/run_id"), text(answer, "/run/info/artifact_uri"));
    }

    /** Whether the answer is MLflow's error for a resource that does not exist. */
    static boolean isMissing(String answer) {
        return isError(answer, "RESOURCE_DOES_NOT_EXIST");
    }

    /** Whether the answer is MLflow's error for a resource that is to be made and exists. */
    static boolean isAlreadyThere(String answer) {
        return isError(answer, "RESOURCE_ALREADY_EXISTS");
    }

    private static boolean isError(String answer, String code) {
        try {
            return MAPPER.readTree(answer).path("error_code").asText().equals(code);
        } catch (JsonProcessingException e) {
            return false;
        }
    }

    /** The error message in an answer, or the whole answer if it has none. */
    static String message(String answer) {
        String text = answer;
        try {
            JsonNode root = MAPPER.readTree(answer);
            text = root.path("message").asText(answer);
        } catch (JsonProcessingException e) {
            text = answer.strip(); // a proxy's page, for instance
        }

        return text.length() <= LONGEST_ANSWER ? text : text.substring(0, LONGEST_ANSWER) + "...";
    }

    private static String text(String answer, String place) {
        try {
            JsonNode found = MAPPER.readTree(answer).at(place);
            if (found.isTextual()) {
                return found.asText();
            }
        } catch (JsonProcessingException e) {
            throw notMlflow(place, answer, e);
        }

        throw notMlflow(place, answer, null);
    }

    private static IllegalArgumentException notMlflow(String place, String answer, @Nullable Exception cause) {
        return new BadInputException(
                "Cannot use the tracking server: expected %s in its answer, found %s. Is it MLflow's address?"
                        .formatted(place, message(answer)),
                cause);
    }
}
