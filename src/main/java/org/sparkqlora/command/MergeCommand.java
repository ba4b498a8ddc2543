package org.sparkqlora.command;

import java.nio.file.Path;
import java.util.List;
import org.apache.spark.SparkConf;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.options.Console;
import org.sparkqlora.options.LineageOptions;
import org.sparkqlora.options.MergeBase;
import org.sparkqlora.options.ModelAddress;
import org.sparkqlora.options.ModelOutput;
import org.sparkqlora.options.ModelPath;
import org.sparkqlora.options.OptionGroup;
import org.sparkqlora.options.Overlap;
import org.sparkqlora.options.Problems;
import org.sparkqlora.options.QuantOptions;
import org.sparkqlora.options.Required;
import org.sparkqlora.run.export.Merge;
import org.sparkqlora.run.export.Merge.MergeResult;
import org.sparkqlora.run.output.CommandLineage;
import org.sparkqlora.spark.cluster.Location;
import org.sparkqlora.storage.ModelCache;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code merge}: a model with its adapter folded in. */
@OptionGroup.In(OptionGroup.RUN)
@CommandLine.Command(
        name = "merge",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        abbreviateSynopsis = true,
        description = {
            "Folds an adapter into its base model (W + scale * B A; with DoRA the rows brought to their magnitudes) and"
                    + " writes a plain model folder, in the types and shards of the base, weight by weight.",
            "",
            "QLoRA trains an adapter beside weights that were rounded to 4 bits, so there are two bases to fold it into."
                    + " 'quantized' takes the rounded weights: the merged model computes what was trained, rounding of the"
                    + " result to 16 bits apart. 'original' takes the weights as they were before: it undoes the"
                    + " quantisation's error, which is often the better model, but one that was never trained or"
                    + " evaluated. --eval-data prints the loss of both choices.",
            ""
        })
public final class MergeCommand implements Command {
    @OptionGroup.In(OptionGroup.MODEL)
    @Option(
            names = "--model",
            converter = ModelAddress.class,
            required = true,
            paramLabel = "PATH",
            description = "Base model that the adapter was trained on.")
    @Nullable
    Location model;

    @OptionGroup.In(OptionGroup.ADAPTER)
    @Option(names = "--adapter", required = true, paramLabel = "DIR", description = "Adapter in PEFT layout.")
    @Nullable
    Location adapter;

    @Mixin
    ModelOutput output = new ModelOutput();

    @Option(
            names = "--base",
            paramLabel = "BASE",
            description = "original or quantized, see above. Default: original, if --model has it.")
    @Nullable
    MergeBase base;

    @Mixin
    public QuantOptions quant = new QuantOptions();

    @Option(
            names = "--quantize",
            description = "Write the merged model in 4 bits again. Tells what that costs: the adapter's changes are"
                    + " rounded with the weights.")
    boolean quantize;

    @Mixin
    MergeEvaluation evaluation = new MergeEvaluation();

    @Mixin
    LineageOptions lineage = new LineageOptions();

    @Override
    public void check(Problems problems) {
        ModelPath.check(problems, "--model", model);
        problems.requireFolder("--adapter", adapter);
        output.check(problems);
        evaluation.check(problems);
        lineage.check(problems);
    }

    @Override
    public String run(Console console) {
        output.require(console, new Overlap.Input("--model", model), new Overlap.Input("--adapter", adapter));
        evaluation.look(console);
        MergeResult result = new CommandLineage(lineage, new SparkConf(), console)
                .follow(work(), this::merged, merged -> CommandLineage.written(output.target(), null));
        console.note("wrote %s", output.target());
        return SummaryJson.merged(result, evaluation.losses(this, result, console));
    }

    private CommandLineage.Work work() {
        Location target = output.target();
        return new CommandLineage.Work(
                target.path().getName(),
                "merge",
                () -> List.of(
                        CommandLineage.model(ModelPath.place(Required.value("--model", model), ModelCache.ofUser())
                                .address()),
                        CommandLineage.adapter(adapter())),
                List.of(CommandLineage.at(target)));
    }

    private MergeResult merged() {
        try (Merge merge = Merge.open(model(), adapter(), quant.spec())) {
            if (evaluation.isAsked()) {
                merge.requireTexts("compare losses of --eval-data");
            }

            return quantize ? merge.writeQuantized(base, output) : merge.write(base, output.target());
        }
    }

    public Path model() {
        return ModelPath.folder(Required.value("--model", model), ModelCache.ofUser());
    }

    public Location adapter() {
        return Required.value("--adapter", adapter);
    }
}
