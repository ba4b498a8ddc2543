package org.sparkqlora.run;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.Map;
import java.util.OptionalDouble;
import org.sparkqlora.checkpoint.PublishedFolder;
import org.sparkqlora.data.ChatMessage;
import org.sparkqlora.data.Prompt;
import org.sparkqlora.memory.MemoryPlan;
import org.sparkqlora.model.LossTotal;
import org.sparkqlora.spark.cluster.FaultLog;
import org.sparkqlora.spark.cluster.Location;
import org.sparkqlora.spark.exchange.ExchangeChoice;
import org.sparkqlora.spark.prepare.PreparationCounts;
import org.sparkqlora.spark.prepare.PreparedData;
import org.sparkqlora.train.metrics.TrainSummary;
import org.sparkqlora.weights.QuantizationReport;

/** The last line on stdout: what a command did. */
public final class SummaryJson {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final String COMMAND = "command";
    private static final String ADAPTER = "adapter";

    private SummaryJson() {}

    /** @param seconds from the listing of sources to the manifest */
    public static String prepared(PreparedData data, double seconds) {
        ObjectNode root = of("prepare");
        root.put("prepared", data.folder());
        root.put("sequence_length", data.manifest().width());
        root.put("seconds", seconds);
        writeCounts(data.manifest().counts(), root);
        return root.toString();
    }

    /** What a run would take. */
    static String checked(int shards, ExchangeChoice exchange, MemoryPlan memory) {
        ObjectNode root = of("train");
        root.put("dry_run", true);
        root.put("shards", shards);
        root.put("exchange", exchange.kind().word());
        root.put("executor_heap_bytes", memory.heapBytes());
        root.put("executor_overhead_bytes", memory.executorBytes() - memory.heapBytes());
        root.put("driver_bytes", memory.driverBytes());
        return root.toString();
    }

    static String trained(
            TrainSummary run,
            OptionalDouble lossOfResult,
            ExchangeChoice exchange,
            FaultLog faults,
            PreparationCounts data,
            PublishedModel result) {
        ObjectNode root = of("train");
        root.put("trained_parameters", result.parameters());
        root.put("steps", run.steps());
        root.put("resumed_from", run.resumedFrom());
        put(root, "first_loss", run.firstLoss());
        put(root, "last_loss", run.lastLoss());
        put(root, "eval_loss", run.evaluationLoss());
        put(root, "adapter_eval_loss", lossOfResult);
        run.best().ifPresent(best -> {
            root.put("best_eval_loss", best.loss());
            root.put("best_step", best.step());
        });
        root.put("tokens_per_second", run.tokens() / Math.max(run.seconds(), 1e-9));
        root.put("seconds", run.seconds());
        ObjectNode moved = root.putObject("exchange");
        moved.put("kind", exchange.kind().word());
        moved.put("wire", exchange.size().dtype().word());
        moved.put("reason", exchange.reason());
        ObjectNode overcome = root.putObject("faults");
        overcome.put("failed_tasks", faults.failedTasks());
        overcome.put("lost_executors", faults.lostExecutors());
        writeCounts(data, root.putObject("data"));
        root.put(ADAPTER, result.folder().toString());
        return root.toString();
    }

    public static String evaluated(Evaluation evaluation) {
        LossTotal total = evaluation.total();
        ObjectNode root = of("evaluate");
        root.put("loss", total.mean());
        root.put("perplexity", Math.exp(total.mean()));
        root.put("tokens", total.tokenCount());
        writeCounts(evaluation.data(), root.putObject("data"));
        return root.toString();
    }

    /** One document of an evaluation. */
    public static String document(LossTotal loss) {
        ObjectNode root = MAPPER.createObjectNode();
        root.put("loss_sum", loss.lossSum());
        root.put("tokens", loss.tokenCount());
        return root.toString();
    }

    public static String quantized(Location folder, QuantizationReport report) {
        ObjectNode root = of("quantize");
        root.put("output", folder.toString());
        write(report, root);
        return root.toString();
    }

    public static String merged(MergeResult merged, Map<String, Double> losses) {
        ObjectNode root = of("merge");
        root.put("output", merged.folder().toString());
        root.put("base", merged.base().label());
        QuantizationReport quantization = merged.quantization();
        if (quantization != null) {
            write(quantization, root.putObject("quantization"));
        }

        if (!losses.isEmpty()) {
            losses.forEach(root.putObject("loss")::put);
        }

        return root.toString();
    }

    /** @param loss the one found, and the largest that passes */
    public static String gated(double loss, double maxLoss) {
        ObjectNode root = of("gate");
        root.put("loss", loss);
        root.put("max_loss", maxLoss);
        return root.toString();
    }

    public static String published(Location target, PublishedFolder published) {
        ObjectNode root = of("publish");
        root.put("published", target.toString());
        root.put("files", published.files());
        root.put("bytes", published.bytes());
        return root.toString();
    }

    public static String generated(String prompt, Answers.Answer answer) {
        ObjectNode root = of("generate");
        root.put("prompt", prompt);
        root.put("text", answer.text());
        root.put("tokens", answer.tokens());
        return root.toString();
    }

    /** One answer of many. */
    static String answer(Prompt prompt, Answers.Answer answer) {
        ObjectNode root = MAPPER.createObjectNode();
        root.set("prompt", MAPPER.valueToTree(asked(prompt)));
        root.put("text", answer.text());
        root.put("tokens", answer.tokens());
        return root.toString();
    }

    /** An answer while a run trains. */
    static String sample(long step, Prompt prompt, Answers.Answer answer) {
        ObjectNode root = MAPPER.createObjectNode();
        root.put("step", step);
        root.set("prompt", MAPPER.valueToTree(asked(prompt)));
        root.put("text", answer.text());
        root.put("tokens", answer.tokens());
        return root.toString();
    }

    /** The prompt as the file has it. */
    private static Object asked(Prompt prompt) {
        if (prompt instanceof Prompt.Turns turns) {
            return turns.messages().stream().map(ChatMessage::fields).toList();
        }

        return prompt instanceof Prompt.Beginning beginning ? beginning.text() : ((Prompt.Question) prompt).text();
    }

    public static String answered(Path output, AnswerJob.Result result, double seconds) {
        ObjectNode root = of("generate");
        root.put("output", output.toString());
        root.put("prompts", result.lines().size());
        root.put("tokens", result.tokens());
        root.put("tokens_per_second", result.tokens() / Math.max(seconds, 1e-9));
        root.put("seconds", seconds);
        return root.toString();
    }

    public static ObjectNode of(String command) {
        return MAPPER.createObjectNode().put(COMMAND, command);
    }

    private static void writeCounts(PreparationCounts counts, ObjectNode node) {
        node.put("examples", counts.examples());
        node.put("rows", counts.rows());
        node.put("tokens", counts.tokens());
        node.put("trained_tokens", counts.trainedTokens());
        node.put("truncated", counts.truncated());
        node.put("without_trained_token", counts.untrained());
        node.put("bad_records", counts.bad());
    }

    private static void write(QuantizationReport report, ObjectNode node) {
        node.put("quantized_weights", report.weights());
        node.put("bytes_before", report.bytesBefore());
        node.put("bytes_after", report.bytesAfter());
        node.put("bits_per_weight", report.bitsPerWeight());
        node.put("mean_absolute_error", report.meanAbsoluteError());
    }

    private static void put(ObjectNode node, String key, OptionalDouble value) {
        value.ifPresent(number -> node.put(key, number));
    }
}
