package org.sparkqlora.run.train;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.spark.api.java.JavaSparkContext;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.memory.MemoryPlan;
import org.sparkqlora.model.BaseMemoryLimit;
import org.sparkqlora.model.PassOptions;
import org.sparkqlora.model.Recompute;
import org.sparkqlora.model.layout.ModelSpec;
import org.sparkqlora.model.layout.ParameterIndex;
import org.sparkqlora.optim.Paging;
import org.sparkqlora.options.Console;
import org.sparkqlora.options.TrainOptions;
import org.sparkqlora.run.generate.SampleFile;
import org.sparkqlora.run.mlflow.ModelRegistration;
import org.sparkqlora.run.model.AdapterStart;
import org.sparkqlora.run.model.BaseCheck;
import org.sparkqlora.run.monitor.RunMonitor;
import org.sparkqlora.run.output.OutputFolder;
import org.sparkqlora.run.output.PlanFile;
import org.sparkqlora.run.prepare.ModelEncoders;
import org.sparkqlora.run.prepare.Preparation;
import org.sparkqlora.spark.check.ClusterNeeds;
import org.sparkqlora.spark.cluster.TaskSlots;
import org.sparkqlora.spark.exchange.ExchangeChoice;
import org.sparkqlora.spark.mlflow.MlflowExperiment;
import org.sparkqlora.tokenizer.ModelTokenizer;
import org.sparkqlora.train.FolderModelSource;
import org.sparkqlora.weights.SourceFingerprint;
import org.sparkqlora.weights.family.ModelConfig;

/**
 * All choices of a training run that are made, and found possible, before any work. Driver only.
 *
 * @param model as executors open it
 * @param paging of the optimiser's state
 * @param exchange how gradients are added
 * @param sharded the trained tensors, where executors shard their optimiser state; null where each has all of it
 * @param passes how micro-batches go through the model
 * @param memory that it is estimated to take
 */
record TrainingSetup(
        Inputs inputs,
        JavaSparkContext context,
        Preparation preparation,
        FolderModelSource model,
        Paging paging,
        ExchangeChoice exchange,
        @Nullable ParameterIndex sharded,
        int microRows,
        PassOptions passes,
        MemoryPlan memory) {
    /**
     * The base model and its tokenizer, checked; nothing of the cluster or the output is opened yet.
     *
     * @param mlflow experiment that the run is logged to
     * @param registration of the result there
     */
    record Inputs(
            Optional<MlflowExperiment> mlflow,
            Optional<ModelRegistration> registration,
            ModelConfig config,
            AdapterStart start,
            ModelEncoders encoders) {
        static Inputs of(TrainOptions options) {
            Optional<MlflowExperiment> mlflow = options.run.mlflow.open();
            ModelConfig config = BaseCheck.config(options.model);
            AdapterStart start = AdapterStart.of(options.model.method, options.adapter, options.model.folder(), config)
                    .scoring(options.objective());
            checkPrompts(options, start);
            BaseCheck.check(options.model, start.lora());
            ModelEncoders encoders = ModelEncoders.of(options.model.tokenizer(), options.data, start, config);
            return new Inputs(
                    mlflow, ModelRegistration.of(options, start, config.storedType()), config, start, encoders);
        }

        private static void checkPrompts(TrainOptions options, AdapterStart start) {
            Path prompts = options.evaluation.prompts;
            if (prompts != null) {
                try (ModelTokenizer tokenizer = ModelTokenizer.open(
                        options.model.folder(),
                        options.data.chatTemplate,
                        start.vocabulary().added())) {
                    SampleFile.check(prompts, tokenizer);
                }
            }
        }
    }

    /** Throws if the cluster cannot carry the run, or if the run in {@code output} is of another base or other data. */
    static TrainingSetup of(TrainOptions options, Inputs inputs, OutputFolder output, Console console) {
        JavaSparkContext context = options.cluster.context("train", console);
        PlanFile begun = new PlanFile(output.location());
        Preparation preparation = preparation(options, inputs, begun, context, console);
        ClusterSetup setup = new ClusterSetup(context, options, console);
        ModelConfig config = inputs.config();
        FolderModelSource model = options.source(inputs.start().lora(), setup.precision(begun));
        int shards = setup.shards(tasks(options, context, begun));
        ParameterIndex index = ParameterIndex.of(config, model.spec());
        ExchangeChoice exchange = setup.exchange(index, shards);
        Paging paging = setup.paging(index, exchange);
        int width = preparation.width(options.data.sources, options.data);
        ModelSpec spec = model.spec();
        ClusterSetup.MicroRows rows = setup.microRows(config, spec, paging, exchange, begun, width);
        MemoryPlan whole =
                setup.memory(config, spec, paging, rows, exchange, setup.passes(Recompute.ALL, BaseMemoryLimit.ALL));
        BaseMemoryLimit kept = setup.base(config, whole);
        Recompute recompute = setup.recompute(config, spec, paging, rows, exchange, kept);
        PassOptions quickest = setup.passes(recompute, BaseMemoryLimit.DEQUANTIZED);
        BaseMemoryLimit base = setup.dequantized(
                kept,
                spec,
                recompute,
                () -> setup.memory(config, spec, paging, rows, exchange, quickest)
                        .executorBytes());
        MemoryPlan memory = setup.withDriver(
                setup.memory(config, spec, paging, rows, exchange, setup.passes(recompute, base)),
                exchange,
                inputs.start());
        List<String> folders = new ArrayList<>(preparation.readyFolder(options.data.sources));
        folders.add(output.location().path().toString());
        FolderModelSource copied = model.copying(ClusterSetup.copyBytes(model, whole));
        setup.check(new ClusterNeeds(copied, folders, options.run.batch.rows, shards, memory), exchange);
        if (memory.shardsOptimizer()) {
            console.note("zero stage 1: executors shard the optimiser's state, each part with two owners");
        }

        PassOptions passes = setup.passes(recompute, setup.baseOfTask(base, config, spec));
        return new TrainingSetup(
                inputs,
                context,
                preparation,
                model,
                paging,
                exchange,
                memory.shardsOptimizer() ? index : null,
                rows.count(),
                passes,
                memory);
    }

    /** Of a step. */
    int shards() {
        return exchange.size().shards();
    }

    /** The part that whoever follows the run needs. */
    RunMonitor.Setup monitor() {
        return new RunMonitor.Setup(
                context,
                preparation,
                inputs.mlflow(),
                inputs.registration(),
                inputs.config().vocabularySize(),
                memory.executorBytes());
    }

    private static Preparation preparation(
            TrainOptions options, Inputs inputs, PlanFile begun, JavaSparkContext context, Console console) {
        if (options.run.overwrite) {
            return new Preparation(context, console, options.evaluation.trained(), null);
        }

        Preparation preparation = new Preparation(context, console, options.evaluation.trained(), begun.rows());
        Path folder = options.model.folder();
        begun.requireBase(options.model.address(), SourceFingerprint.ofContent(folder));
        begun.requireData(preparation.fingerprint(options.data.sources, inputs.encoders(), options.data));
        return preparation;
    }

    /** As many as were asked for, or as this run was begun with, or as the cluster has slots. */
    private static int tasks(TrainOptions options, JavaSparkContext context, PlanFile begun) {
        Integer asked = options.run.shards;
        return asked != null
                ? asked
                : begun.recorded().map(plan -> plan.batches().shards()).orElseGet(() -> TaskSlots.available(context));
    }
}
