package org.sparkqlora.command;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.data.RecordFormat;
import org.sparkqlora.model.layout.Method;
import org.sparkqlora.options.ClusterOptions;
import org.sparkqlora.options.Console;
import org.sparkqlora.options.DataOptions;
import org.sparkqlora.options.EvaluateOptions;
import org.sparkqlora.options.LengthOptions;
import org.sparkqlora.options.OptionGroup;
import org.sparkqlora.options.PrecisionChoice;
import org.sparkqlora.options.Problems;
import org.sparkqlora.run.evaluate.EvaluationJob;
import org.sparkqlora.run.export.Merge.MergeResult;
import org.sparkqlora.run.prepare.Preparation;
import org.sparkqlora.spark.cluster.Location;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Options of an evaluation before and after a merge. */
@OptionGroup.In(OptionGroup.EVALUATION)
final class MergeEvaluation {
    @OptionGroup.Common
    @Option(
            names = "--eval-data",
            split = ",",
            paramLabel = "PATH",
            description =
                    "Also prints the loss over these examples. It is that of the adapter beside either base, and of the merged model.")
    List<String> sources = List.of();

    @Option(
            names = "--format",
            defaultValue = "auto",
            paramLabel = "FORMAT",
            description = "Of --eval-data, as of evaluate. Default: ${DEFAULT-VALUE}.")
    RecordFormat format = RecordFormat.AUTO;

    @Mixin
    LengthOptions length = new LengthOptions();

    @Option(
            names = "--precision",
            defaultValue = "auto",
            paramLabel = "TYPE",
            description = "Of --eval-data, as of evaluate: auto, bf16, fp16 or fp32. Default: ${DEFAULT-VALUE}.")
    PrecisionChoice precision = PrecisionChoice.AUTO;

    public void check(Problems problems) {
        if (isAsked()) {
            data().check(problems);
        }
    }

    /** Refuses data that cannot be read, before a model is written. */
    void look(Console console) {
        if (isAsked()) {
            new Preparation(new ClusterOptions().context("evaluate", console), console).look(sources, data());
        }
    }

    boolean isAsked() {
        return !sources.isEmpty();
    }

    /** Mean losses by what they are of; none without data. */
    public Map<String, Double> losses(MergeCommand command, MergeResult result, Console console) {
        Map<String, Double> losses = new LinkedHashMap<>();
        if (!isAsked()) {
            return losses;
        }

        Location model = Location.of(command.model());
        Location adapter = command.adapter();
        losses.put("adapter_on_quantized", loss(command, model, Method.QLORA, adapter, console));
        if (result.sourceIsPlain()) {
            losses.put("adapter_on_original", loss(command, model, Method.LORA, adapter, console));
        }

        losses.put("merged", loss(command, result.folder(), Method.LORA, null, console));
        return losses;
    }

    private double loss(
            MergeCommand command, Location model, Method method, @Nullable Location adapter, Console console) {
        EvaluateOptions evaluate = new EvaluateOptions();
        evaluate.model.model = model;
        evaluate.model.method = method;
        evaluate.model.numerics.precision = precision;
        evaluate.model.numerics.quant = command.quant;
        evaluate.adapter = adapter;
        evaluate.data = data();
        return new EvaluationJob(evaluate, console).run().total().mean();
    }

    private DataOptions data() {
        DataOptions data = new DataOptions();
        data.sources = sources;
        data.format = format;
        data.length = length;
        return data;
    }
}
