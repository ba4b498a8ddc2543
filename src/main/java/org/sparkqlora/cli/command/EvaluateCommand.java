package org.sparkqlora.cli.command;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import org.apache.spark.api.java.JavaSparkContext;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.model.LossTotal;
import org.sparkqlora.model.Method;
import org.sparkqlora.model.Precision;
import org.sparkqlora.options.ClusterOptions;
import org.sparkqlora.options.Console;
import org.sparkqlora.options.DataOptions;
import org.sparkqlora.options.ModelOptions;
import org.sparkqlora.options.OptionGroup;
import org.sparkqlora.options.Problems;
import org.sparkqlora.options.RowsFolder;
import org.sparkqlora.run.AdapterStart;
import org.sparkqlora.run.BaseCheck;
import org.sparkqlora.run.DeadModel;
import org.sparkqlora.run.Evaluation;
import org.sparkqlora.run.FirstState;
import org.sparkqlora.run.ModelEncoders;
import org.sparkqlora.run.Preparation;
import org.sparkqlora.run.RowWarnings;
import org.sparkqlora.run.SummaryJson;
import org.sparkqlora.spark.cluster.Location;
import org.sparkqlora.spark.job.SparkEvaluator;
import org.sparkqlora.spark.prepare.PreparedData;
import org.sparkqlora.storage.LocalFiles;
import org.sparkqlora.train.FolderModelSource;
import org.sparkqlora.weights.family.ModelConfig;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code evaluate}: the loss of a model, with or without an adapter. */
@OptionGroup.In(OptionGroup.RUN)
@CommandLine.Command(
        name = "evaluate",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        abbreviateSynopsis = true,
        description = "Prints mean loss, perplexity and number of trained tokens over examples, as JSON.")
public final class EvaluateCommand implements Command {
    @Mixin
    public ModelOptions model = new ModelOptions();

    @OptionGroup.In(OptionGroup.ADAPTER)
    @Option(names = "--adapter", paramLabel = "DIR", description = "Adapter in PEFT layout. Default: the base alone.")
    @Nullable
    public Location adapter;

    @Mixin
    public DataOptions data = new DataOptions();

    @Option(
            names = "--micro-batch-size",
            defaultValue = "1",
            paramLabel = "ROWS",
            description = "Rows that pass through the model at once. Default: ${DEFAULT-VALUE}.")
    int microBatchSize = 1;

    @Option(
            names = "--per-example",
            paramLabel = "FILE",
            description = "Also writes a JSON line a document: loss_sum, tokens. In the order of the rows.")
    @Nullable
    Path perExample;

    @Option(
            names = "--prepared",
            paramLabel = "PATH",
            description =
                    "Folder for the prepared rows, which every executor can read. Default: a temporary one on this host, deleted afterwards.")
    @Nullable
    String prepared;

    @Mixin
    ClusterOptions cluster = new ClusterOptions();

    @Override
    public void check(Problems problems) {
        cluster.check(problems);
        model.check(problems);
        problems.require(model.method != Method.FULL, "--method: expected qlora or lora, found full");
        problems.requireFolder("--adapter", adapter);
        data.check(problems);
        problems.requireOwn("--per-example", perExample, "{\"loss_sum\":");
        problems.requireAtLeast("--micro-batch-size", 1, microBatchSize);
    }

    @Override
    public void run(Console console) {
        Evaluation evaluation = evaluate(console);
        if (perExample != null) {
            write(perExample, evaluation.documents());
        }

        new DeadModel(BaseCheck.config(model).vocabularySize(), line -> console.note("%s", line))
                .evaluated("the loss", evaluation.total().mean());
        console.result(SummaryJson.evaluated(evaluation));
    }

    public Evaluation evaluate(Console console) {
        ModelConfig config = BaseCheck.check(model);
        Path folder = model.folder();
        AdapterStart start = adapter == null ? AdapterStart.none() : AdapterStart.from(adapter, folder, config);
        ModelEncoders encoders = ModelEncoders.of(model.tokenizer(), data, start, config);
        JavaSparkContext context = cluster.context("evaluate", console);
        try (RowsFolder rowsFolder = RowsFolder.of(prepared)) {
            PreparedData rows =
                    new Preparation(context, console).rows(data.sources, encoders, data, rowsFolder.location());
            new RowWarnings(context, console).ofPositions(rows, config);
            return new Evaluation(
                    losses(context, start, rows, console), rows.manifest().counts());
        }
    }

    private List<LossTotal> losses(JavaSparkContext context, AdapterStart start, PreparedData rows, Console console) {
        Precision precision = model.precision(context, console::note);
        FolderModelSource source = model.source(start.lora(), precision);
        int threads = Runtime.getRuntime().availableProcessors();
        FirstState state = FirstState.of(source, start, 0, threads);
        return new SparkEvaluator(context, source).losses(state.parameters(), state.index(), rows, microBatchSize);
    }

    private static void write(Path file, List<LossTotal> losses) {
        try {
            LocalFiles.replace(file, losses.stream().map(SummaryJson::document).toList());
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to write " + file, e);
        }
    }
}
