package org.sparkqlora.run.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.input.TreeJson;
import org.sparkqlora.spark.speed.ClusterSpeed;

/** The summary of {@code bench --cluster}, units in the names, and how {@code plan} reads it from a file of {@code --result}. */
public final class ClusterSpeedJson {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final String SUMMARY = "summary";
    private static final String CLUSTER = "cluster";
    private static final String EXECUTORS = "executors";
    private static final String NETWORK = "network_bytes_per_second";
    private static final String WRITTEN = "written_bytes_per_second";
    private static final String ADDED = "added_bytes_per_second";
    private static final String BLOCK = "block_seconds";
    private static final String TASK = "task_seconds";
    private static final String STAGE = "stage_seconds";
    private static final String MESSAGE = "message_seconds";

    private ClusterSpeedJson() {}

    public static String summary(ClusterSpeed speed) {
        ObjectNode root = MAPPER.createObjectNode();
        root.put("command", "bench");
        root.putObject(CLUSTER)
                .put(EXECUTORS, speed.executors())
                .put(NETWORK, speed.networkBytes())
                .put(WRITTEN, speed.writtenBytes())
                .put(ADDED, speed.addedBytes())
                .put(BLOCK, speed.secondsOfBlock())
                .put(TASK, speed.secondsOfTask())
                .put(STAGE, speed.secondsOfStage())
                .put(MESSAGE, speed.secondsOfMessage());
        return root.toString();
    }

    /**
     * What {@code bench --cluster --result} wrote.
     *
     * @param document what {@code text} is, for messages
     */
    public static ClusterSpeed readResult(String document, String text) {
        JsonNode cluster = parse(document, text).path(SUMMARY).path(CLUSTER);
        return new ClusterSpeed(
                (int) positive(document, cluster, EXECUTORS),
                positive(document, cluster, NETWORK),
                positive(document, cluster, WRITTEN),
                positive(document, cluster, ADDED),
                positive(document, cluster, BLOCK),
                positive(document, cluster, TASK),
                positive(document, cluster, STAGE),
                positive(document, cluster, MESSAGE));
    }

    private static double positive(String document, JsonNode cluster, String key) {
        JsonNode value = cluster.path(key);
        if (!value.isNumber() || !(value.asDouble() > 0) || Double.isInfinite(value.asDouble())) {
            throw new BadInputException(
                    "Cannot read %s: expected what bench --cluster --result wrote, with a number above 0 for '%s', found %s"
                            .formatted(document, key, value.isMissingNode() ? "none" : value));
        }

        return value.asDouble();
    }

    private static JsonNode parse(String document, String text) {
        return TreeJson.read(
                text,
                e -> new BadInputException(
                        "Cannot read %s: expected JSON: %s".formatted(document, e.getOriginalMessage()), e));
    }
}
