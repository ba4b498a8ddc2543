package org.sparkqlora.command.plan;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalDouble;
import org.sparkqlora.input.TreeJson;
import org.sparkqlora.model.layout.Method;
import org.sparkqlora.storage.FolderSize;

/** Reads what {@code train} says last, and writes what {@code compare} does. */
public final class ComparisonJson {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private ComparisonJson() {}

    /** @param summary of {@code train} */
    static MeasuredRun.MethodRun run(Method method, String summary, long peakBytes) {
        JsonNode root = parsed(summary);
        JsonNode evaluation = root.path("eval_loss");
        return new MeasuredRun.MethodRun(
                method,
                root.path("trained_parameters").asLong(),
                peakBytes,
                root.path("tokens_per_second").asDouble(),
                root.path("last_loss").asDouble(),
                evaluation.isNumber() ? OptionalDouble.of(evaluation.asDouble()) : OptionalDouble.empty(),
                FolderSize.of(Path.of(root.path("adapter").asText())));
    }

    public static String summary(List<MeasuredRun.MethodRun> runs) {
        ObjectNode root = MAPPER.createObjectNode().put("command", "compare");
        ObjectNode methods = root.putObject("methods");
        runs.forEach(run -> write(run, methods.putObject(run.method().optionName())));
        return root.toString();
    }

    private static void write(MeasuredRun.MethodRun run, ObjectNode node) {
        node.put("trained_parameters", run.trainedParameters());
        node.put("peak_bytes", run.peakBytes());
        node.put("tokens_per_second", run.tokensPerSecond());
        node.put("last_loss", run.lastLoss());
        run.evaluationLoss().ifPresent(loss -> node.put("eval_loss", loss));
        node.put("published_bytes", run.resultBytes());
    }

    private static JsonNode parsed(String summary) {
        return TreeJson.read(
                summary, e -> new IllegalStateException("Cannot read the summary of train: found " + summary, e));
    }
}
