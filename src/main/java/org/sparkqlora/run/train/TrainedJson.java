package org.sparkqlora.run.train;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.OptionalDouble;
import org.sparkqlora.spark.prepare.PreparationCounts;
import org.sparkqlora.train.metrics.TrainSummary;

/** The summary of a training run: the last line that {@code train} prints. */
public final class TrainedJson {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private TrainedJson() {}

    public static String write(Trained trained) {
        TrainSummary run = trained.summary();
        ObjectNode root = MAPPER.createObjectNode().put("command", "train");
        root.put("trained_parameters", trained.parameters());
        root.put("steps", run.steps());
        root.put("resumed_from", run.resumedFrom());
        put(root, "first_loss", run.firstLoss());
        put(root, "last_loss", run.lastLoss());
        put(root, "eval_loss", run.evaluationLoss());
        put(root, "adapter_eval_loss", trained.resultLoss());
        run.best().ifPresent(best -> {
            root.put("best_eval_loss", best.loss());
            root.put("best_step", best.step());
        });
        root.put("tokens_per_second", run.tokens() / Math.max(run.seconds(), 1e-9));
        root.put("seconds", run.seconds());
        ObjectNode exchange = root.putObject("exchange");
        exchange.put("kind", trained.exchange().kind().optionName());
        exchange.put("wire", trained.exchange().size().dtype().optionName());
        exchange.put("reason", trained.exchange().reason());
        ObjectNode faults = root.putObject("faults");
        faults.put("failed_tasks", trained.failedTasks());
        faults.put("lost_executors", trained.lostExecutors());
        writeCounts(trained.data(), root.putObject("data"));
        root.put("adapter", trained.result());
        return root.toString();
    }

    /** Writes what became of the examples into {@code node}. */
    public static void writeCounts(PreparationCounts counts, ObjectNode node) {
        node.put("examples", counts.examples());
        node.put("rows", counts.rows());
        node.put("tokens", counts.tokens());
        node.put("trained_tokens", counts.trainedTokens());
        node.put("truncated", counts.truncated());
        node.put("without_trained_token", counts.untrained());
        node.put("bad_records", counts.bad());
    }

    private static void put(ObjectNode node, String key, OptionalDouble value) {
        value.ifPresent(number -> node.put(key, number));
    }
}
