package org.sparkqlora.train.metrics;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.Set;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.input.TreeJson;

/** A line of {@code metrics.jsonl}. */
public final class MetricsJson {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final String STEP = "step";

    /** What every line may have; all else are measures of its objective. */
    private static final Set<String> FIELDS = Set.of(
            STEP,
            "loss",
            "tokens",
            "trained_tokens",
            "learning_rate",
            "grad_norm",
            "local_divergence",
            "tokens_per_second",
            "seconds",
            "load_seconds",
            "wait_seconds",
            "replay_seconds",
            "read_seconds",
            "compute_seconds",
            "exchange_seconds",
            "update_seconds",
            "spark_seconds",
            "spark_share",
            "optimizer_resident_bytes",
            "eval_loss");

    private MetricsJson() {}

    /** The line of a step, without its end. */
    public static String write(StepMetrics step, OptionalDouble evaluationLoss) {
        ObjectNode line = MAPPER.createObjectNode();
        line.put(STEP, step.step());
        line.put("loss", step.loss());
        line.put("tokens", step.tokens());
        line.put("trained_tokens", step.trainedTokens());
        line.put("learning_rate", step.learningRate());
        step.gradientNorm().ifPresent(norm -> line.put("grad_norm", norm));
        step.divergence().ifPresent(share -> line.put("local_divergence", share));
        step.measures().forEach(line::put);
        line.put("tokens_per_second", rounded(step.tokensPerSecond()));
        line.put("seconds", rounded(step.seconds()));
        write(step.times(), line);
        line.put("optimizer_resident_bytes", step.optimizerResidentBytes());
        evaluationLoss.ifPresent(loss -> line.put("eval_loss", loss));
        return line.toString();
    }

    /** The step of a line; nothing for a line that a killed process left half written. */
    public static OptionalLong readStep(String line) {
        try {
            JsonNode step = MAPPER.readTree(line).path(STEP);
            return step.isIntegralNumber() ? OptionalLong.of(step.asLong()) : OptionalLong.empty();
        } catch (JsonProcessingException e) {
            return OptionalLong.empty();
        }
    }

    /** The step of a whole line. */
    public static StepMetrics read(String line) {
        JsonNode root = parse(line);
        PhaseSeconds tasks = new PhaseSeconds(
                root.path("wait_seconds").asDouble(),
                root.path("load_seconds").asDouble(),
                root.path("replay_seconds").asDouble(),
                root.path("read_seconds").asDouble(),
                root.path("compute_seconds").asDouble());
        StepSeconds times = new StepSeconds(
                tasks,
                root.path("exchange_seconds").asDouble(),
                root.path("update_seconds").asDouble());
        return new StepMetrics(
                root.path(STEP).asLong(),
                root.path("loss").asDouble(),
                root.path("trained_tokens").asLong(),
                root.path("tokens").asLong(),
                root.path("learning_rate").asDouble(),
                number(root, "grad_norm"),
                number(root, "local_divergence"),
                times,
                measures(root),
                root.path("optimizer_resident_bytes").asLong());
    }

    private static Map<String, Double> measures(JsonNode root) {
        Map<String, Double> measures = new LinkedHashMap<>();
        root.fields().forEachRemaining(field -> {
            if (!FIELDS.contains(field.getKey())) {
                measures.put(field.getKey(), field.getValue().asDouble());
            }
        });
        return measures;
    }

    /** The loss on held-out rows that a whole line has, if any. */
    public static OptionalDouble readEvaluation(String line) {
        return number(parse(line), "eval_loss");
    }

    /** The evaluations in whole lines. */
    public static List<Evaluated> evaluations(List<String> lines) {
        List<Evaluated> evaluations = new ArrayList<>();
        for (String line : lines) {
            readEvaluation(line)
                    .ifPresent(
                            loss -> evaluations.add(new Evaluated(readStep(line).orElseThrow(), loss)));
        }

        return evaluations;
    }

    /** The step of the last of whole lines; 0 if there is none. */
    public static long lastStep(List<String> lines) {
        return lines.isEmpty() ? 0 : readStep(lines.get(lines.size() - 1)).orElseThrow();
    }

    private static JsonNode parse(String line) {
        return TreeJson.read(
                line,
                e -> new BadInputException("Cannot read a line of metrics.jsonl: expected JSON, found " + line, e));
    }

    private static OptionalDouble number(JsonNode root, String key) {
        return root.hasNonNull(key) ? OptionalDouble.of(root.path(key).asDouble()) : OptionalDouble.empty();
    }

    private static void write(StepSeconds times, ObjectNode line) {
        line.put("load_seconds", rounded(times.tasks().loading()));
        line.put("wait_seconds", rounded(times.tasks().waiting()));
        line.put("replay_seconds", rounded(times.tasks().replaying()));
        line.put("read_seconds", rounded(times.tasks().reading()));
        line.put("compute_seconds", rounded(times.tasks().computing()));
        line.put("exchange_seconds", rounded(times.exchange()));
        line.put("update_seconds", rounded(times.update()));
        line.put("spark_seconds", rounded(times.spark()));
        line.put("spark_share", rounded(times.spark() / Math.max(times.total(), 1e-9)));
    }

    private static double rounded(double value) {
        return Math.round(value * 1e6) / 1e6;
    }
}
