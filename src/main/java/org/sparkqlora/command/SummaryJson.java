package org.sparkqlora.command;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Map;
import org.sparkqlora.checkpoint.PublishedFolder;
import org.sparkqlora.memory.MemoryPlan;
import org.sparkqlora.ml.TableAnswers;
import org.sparkqlora.model.generation.TokenLosses;
import org.sparkqlora.model.loss.LossTotal;
import org.sparkqlora.objective.ClassReport.OfLabel;
import org.sparkqlora.run.evaluate.EvaluationJob.Evaluation;
import org.sparkqlora.run.export.ExportedFile;
import org.sparkqlora.run.export.Merge.MergeResult;
import org.sparkqlora.run.export.ServerCheck;
import org.sparkqlora.run.generate.AnswerJob;
import org.sparkqlora.run.generate.Answers;
import org.sparkqlora.run.prepare.PreparationJob;
import org.sparkqlora.run.train.DryRun;
import org.sparkqlora.run.train.TrainedJson;
import org.sparkqlora.spark.cluster.Location;
import org.sparkqlora.spark.prepare.PreparedData;
import org.sparkqlora.train.metrics.StepMetrics;
import org.sparkqlora.weights.QuantizationReport;

/** The summaries of commands: the last line on stdout, and what Python gets. */
public final class SummaryJson {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final String COMMAND = "command";

    private SummaryJson() {}

    static String prepared(PreparationJob.Prepared prepared) {
        PreparedData data = prepared.rows();
        ObjectNode root = of("prepare");
        root.put("prepared", data.folder());
        root.put("sequence_length", data.manifest().documentWidth());
        root.put("seconds", prepared.seconds());
        TrainedJson.writeCounts(data.manifest().counts(), root);
        return root.toString();
    }

    static String checked(DryRun run) {
        MemoryPlan memory = run.memory();
        ObjectNode root = of("train");
        root.put("dry_run", true);
        root.put("shards", run.shards());
        root.put("exchange", run.exchange().kind().optionName());
        root.put("executor_heap_bytes", memory.heapBytes());
        root.put("executor_overhead_bytes", memory.executorBytes() - memory.heapBytes());
        root.put("driver_bytes", memory.driverBytes());
        return root.toString();
    }

    static String evaluated(Evaluation evaluation) {
        LossTotal total = evaluation.total();
        ObjectNode root = of("evaluate");
        root.put("loss", total.mean());
        if (evaluation.measures().isEmpty()) {
            root.put("perplexity", Math.exp(total.mean()));
        }

        StepMetrics.evaluation(evaluation.measures()).forEach(root::put);
        root.put("tokens", total.tokenCount());
        if (!evaluation.labels().isEmpty()) {
            write(evaluation.labels(), root.putObject("labels"));
        }

        TrainedJson.writeCounts(evaluation.data(), root.putObject("data"));
        return root.toString();
    }

    /** As scikit-learn's {@code classification_report} names it. */
    private static void write(List<OfLabel> labels, ObjectNode root) {
        for (OfLabel label : labels) {
            root.putObject(label.name())
                    .put("precision", label.precision())
                    .put("recall", label.recall())
                    .put("f1-score", label.f1())
                    .put("support", label.support());
        }
    }

    /** One document of an evaluation. */
    static String document(LossTotal loss) {
        ObjectNode root = MAPPER.createObjectNode();
        root.put("loss_sum", loss.lossSum());
        root.put("tokens", loss.tokenCount());
        loss.measures().sums().forEach((name, sum) -> root.put(name, sum.sum() / sum.count()));
        return root.toString();
    }

    static String quantized(Location folder, QuantizationReport report) {
        ObjectNode root = of("quantize");
        root.put("output", folder.toString());
        write(report, root);
        return root.toString();
    }

    static String merged(MergeResult merged, Map<String, Double> losses) {
        ObjectNode root = of("merge");
        root.put("output", merged.folder().toString());
        root.put("base", merged.base().optionName());
        QuantizationReport quantization = merged.quantization();
        if (quantization != null) {
            write(quantization, root.putObject("quantization"));
        }

        if (!losses.isEmpty()) {
            losses.forEach(root.putObject("loss")::put);
        }

        return root.toString();
    }

    static String exported(ExportedFile exported) {
        ObjectNode root = of("export");
        root.put("output", exported.file().toString());
        root.put("format", "gguf");
        root.put("outtype", exported.type().optionName());
        root.put("tensors", exported.tensors());
        root.put("bytes", exported.bytes());
        return root.toString();
    }

    /**
     * @param written what the server is given
     * @param command that serves it
     */
    static String serveable(ServerCheck check, String written, String command) {
        ObjectNode root = of("export");
        root.put("for", check.server().optionName());
        root.put("serves", check.fits() ? "adapter" : "merged model");
        ArrayNode objections = root.putArray("objections");
        check.objections().forEach(objections::add);
        root.put("output", written);
        root.put("run", command);
        return root.toString();
    }

    /** @param loss the one found, and the largest that passes */
    static String gated(double loss, double maxLoss) {
        ObjectNode root = of("gate");
        root.put("loss", loss);
        root.put("max_loss", maxLoss);
        return root.toString();
    }

    static String published(Location target, PublishedFolder published) {
        ObjectNode root = of("publish");
        root.put("published", target.toString());
        root.put("files", published.files());
        root.put("bytes", published.bytes());
        return root.toString();
    }

    static String generated(String prompt, Answers.Answer answer) {
        ObjectNode root = of("generate");
        root.put("prompt", prompt);
        root.put("text", answer.text());
        root.put("tokens", answer.tokens());
        TokenLosses losses = answer.losses();
        if (losses != null) {
            root.put("loss_sum", losses.sum());
            root.put("loss_tokens", losses.tokens());
        }

        return root.toString();
    }

    static String answered(AnswerJob.Result result) {
        ObjectNode root = of("generate");
        root.put("output", result.output().toString());
        root.put("prompts", result.prompts());
        root.put("earlier", result.earlier());
        root.put("tokens", result.tokens());
        result.adapters()
                .forEach(
                        (name, count) -> addAdapter(root, name, count.prompts()).put("tokens", count.tokens()));
        root.put("tokens_per_second", result.tokensNow() / Math.max(result.seconds(), 1e-9));
        root.put("seconds", result.seconds());
        return root.toString();
    }

    static String answered(TableAnswers.Result result) {
        ObjectNode root = of("generate");
        root.put("output", result.table());
        root.put("prompts", result.prompts());
        root.put("errors", result.errors());
        root.put("earlier", result.earlier());
        result.adapters()
                .forEach(
                        (name, count) -> addAdapter(root, name, count.prompts()).put("errors", count.errors()));
        return root.toString();
    }

    private static ObjectNode addAdapter(ObjectNode root, String name, long prompts) {
        return root.withArray("adapters").addObject().put("adapter", name).put("prompts", prompts);
    }

    public static ObjectNode of(String command) {
        return MAPPER.createObjectNode().put(COMMAND, command);
    }

    private static void write(QuantizationReport report, ObjectNode node) {
        node.put("quantized_weights", report.weights());
        node.put("bytes_before", report.bytesBefore());
        node.put("bytes_after", report.bytesAfter());
        node.put("bits_per_weight", report.bitsPerWeight());
        node.put("mean_absolute_error", report.meanAbsoluteError());
    }
}
