package org.sparkqlora.command.inspect;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.command.Command;
import org.sparkqlora.data.RecordFormat;
import org.sparkqlora.options.Console;
import org.sparkqlora.options.ModelAddress;
import org.sparkqlora.options.ModelPath;
import org.sparkqlora.options.Problems;
import org.sparkqlora.options.Required;
import org.sparkqlora.spark.cluster.Location;
import org.sparkqlora.storage.ModelCache;
import org.sparkqlora.tokenizer.TrainOn;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code inspect}: what a path holds, or what training sees of a data file. */
@CommandLine.Command(
        name = "inspect",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        abbreviateSynopsis = true,
        description =
                "Says as JSON what a model, .gguf file, adapter, checkpoint, output folder, prepared folder or data file"
                        + " is; with --render, what training sees of each example: {\"text\", \"ids\", \"trained\"}.")
public final class InspectCommand implements Command {
    @Parameters(paramLabel = "PATH", arity = "1", description = "What to look at.")
    @Nullable
    Path path;

    @Option(
            names = "--as-config",
            description = "Print the plan of an output folder, or a plan.json, as a file for train --config.")
    boolean asConfig;

    @Option(
            names = "--render",
            description = "Print a JSON line an example, as --model's tokenizer and template see it.")
    boolean render;

    @Option(
            names = "--model",
            converter = ModelAddress.class,
            paramLabel = "PATH",
            description = "Model folder or .gguf file, for --render.")
    @Nullable
    Location model;

    @Option(
            names = "--chat-template",
            paramLabel = "FILE",
            description = "Jinja template, for --render, instead of the model's own.")
    @Nullable
    Path chatTemplate;

    @Option(
            names = "--format",
            defaultValue = "auto",
            paramLabel = "FORMAT",
            description = "As of train. Default: ${DEFAULT-VALUE}.")
    RecordFormat format = RecordFormat.AUTO;

    @Option(names = "--train-on", defaultValue = "assistant", paramLabel = "CHOICE", description = "As of train.")
    TrainOn trainOn = TrainOn.ASSISTANT;

    @Override
    public void check(Problems problems) {
        problems.require(!render || !asConfig, "--render: expected this or --as-config, found both");
        problems.require(!render || model != null, "--render: expected --model with it, found none");
        ModelPath.check(problems, "--model", model);
        problems.requireFile("--chat-template", chatTemplate);
        if (render) {
            problems.requireFile("PATH", path);
        }
    }

    @Override
    public String run(Console console) {
        Path found = Required.value("PATH", path);
        if (asConfig) {
            console.result(PlanOptions.yaml(found).stripTrailing());
            return "";
        }

        if (!render) {
            return Inspection.of(found, format);
        }

        new ExampleViews(
                        ModelPath.folder(Required.value("--model", model), ModelCache.ofUser()),
                        chatTemplate,
                        format,
                        trainOn)
                .print(found, console);
        return "";
    }
}
