package org.sparkqlora.command.bench;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.command.Command;
import org.sparkqlora.memory.GpuMemoryPlan;
import org.sparkqlora.model.layout.LoraSpec;
import org.sparkqlora.model.layout.Method;
import org.sparkqlora.model.layout.ModelSpec;
import org.sparkqlora.model.layout.Precision;
import org.sparkqlora.optim.OptimizerKind;
import org.sparkqlora.optim.OptimizerSpec;
import org.sparkqlora.optim.Paging;
import org.sparkqlora.options.ClusterOptions;
import org.sparkqlora.options.Console;
import org.sparkqlora.options.ModelAddress;
import org.sparkqlora.options.ModelPath;
import org.sparkqlora.options.PrecisionChoice;
import org.sparkqlora.options.Problems;
import org.sparkqlora.quant.QuantSpec;
import org.sparkqlora.run.bench.ClusterSpeedJson;
import org.sparkqlora.spark.cluster.Location;
import org.sparkqlora.spark.speed.ClusterSpeed;
import org.sparkqlora.spark.speed.SpeedJobs;
import org.sparkqlora.storage.ModelCache;
import org.sparkqlora.storage.TemporaryFolder;
import org.sparkqlora.tensor.DeviceChoice;
import org.sparkqlora.tensor.cuda.Gpu;
import org.sparkqlora.train.BatchShape;
import org.sparkqlora.train.DecoderGradientModel;
import org.sparkqlora.train.FolderModelSource;
import org.sparkqlora.train.metrics.ProcessMemory;
import org.sparkqlora.weights.family.ModelConfig;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code bench}: how fast this machine trains, and how near that is to what it could do. */
@CommandLine.Command(
        name = "bench",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        abbreviateSynopsis = true,
        description = {
            "Measures this machine in one process and one number of threads: matrix products, NF4 with double quantisation"
                    + " both ways, optimiser steps, the parts of a training step, and whole QLoRA steps (rank on all"
                    + " linear layers, arbitrary tokens, all trained).",
            "Says how many tokens a second it trains, and what share that is of the roofline: the products with frozen"
                    + " weights alone, at the measured rate of bf16 products. Each figure is a median. Prints JSON on stdout, a"
                    + " table on stderr.",
            "With --cluster measures the session's executors instead: what plan takes as --cluster-constants."
        })
public final class BenchCommand implements Command {
    /** The default of {@code train}. */
    private static final OptimizerSpec OPTIMIZER =
            new OptimizerSpec(OptimizerKind.PAGED_ADAMW_8BIT, 0.9, 0.999, 1e-8, 0);

    @Option(
            names = "--model",
            converter = ModelAddress.class,
            paramLabel = "PATH",
            description = "Hugging Face model folder or .gguf file. Default: a random model of --shape.")
    @Nullable
    Location model;

    @Option(
            names = "--shape",
            paramLabel = "NAME",
            description = "Shape of a random model: smollm2-135m, smollm2-360m, smollm2-1-7b, tinyllama-1-1b or"
                    + " llama2-7b. Default: smollm2-135m.")
    @Nullable
    ModelShape shape;

    @Option(
            names = "--model-cache",
            paramLabel = "DIR",
            description = "Where the quantised copy of --model is kept, as of train.")
    ModelCache cache = ModelCache.ofUser();

    @Option(
            names = "--sequence-length",
            defaultValue = "512",
            paramLabel = "TOKENS",
            description = "Tokens a row. Default: ${DEFAULT-VALUE}.")
    int sequenceLength = 512;

    @Option(
            names = "--batch-size",
            defaultValue = "4",
            paramLabel = "ROWS",
            description = "Rows an optimiser step. Default: ${DEFAULT-VALUE}.")
    int batchSize = 4;

    @Option(
            names = "--micro-batch-size",
            paramLabel = "ROWS",
            description =
                    "Rows that pass through the model at once. Default: as many as train takes in one task of all --threads.")
    @Nullable
    Integer microRows;

    @Option(
            names = "--rank",
            defaultValue = "16",
            paramLabel = "R",
            description = "Rank of the adapters. Default: ${DEFAULT-VALUE}.")
    int rank = 16;

    @Option(
            names = "--device",
            defaultValue = "cpu",
            paramLabel = "CHOICE",
            description =
                    "What steps compute on: cpu, or cuda, this machine's first GPU, which nothing else may use. Then steps"
                            + " alone are measured, beside the card's promised rate and plan's estimate of its memory. Default:"
                            + " ${DEFAULT-VALUE}.")
    DeviceChoice device = DeviceChoice.CPU;

    @Option(
            names = "--precision",
            defaultValue = "auto",
            paramLabel = "TYPE",
            description = "Activations and products, as of train. Default: ${DEFAULT-VALUE}.")
    PrecisionChoice precision = PrecisionChoice.AUTO;

    @Option(names = "--threads", paramLabel = "N", description = "Threads to compute with. Default: one a processor.")
    int threads = Runtime.getRuntime().availableProcessors();

    @Option(
            names = "--repetitions",
            defaultValue = "5",
            paramLabel = "N",
            description = "Timed runs of each part, after --warm-up. Default: ${DEFAULT-VALUE}.")
    int repetitions = 5;

    @Option(
            names = "--warm-up",
            defaultValue = "1",
            paramLabel = "SECONDS",
            description = "How long each part runs before it is timed, once at least. Default: ${DEFAULT-VALUE}.")
    double warmUpSeconds = 1;

    @Option(
            names = "--parts",
            split = ",",
            paramLabel = "NAMES",
            description =
                    "What to measure beside products: kernels (NF4, optimisers), pass (head, attention, layer), step."
                            + " Default: all.")
    List<BenchPart> parts = List.of(BenchPart.values());

    @Option(
            names = "--cluster",
            description =
                    "Instead of this machine: some seconds of jobs on the executors of the session, of which two are"
                            + " needed. Network, blocks, tasks, stages and messages, by the classes that exchange gradients.")
    boolean onCluster;

    @Mixin
    ClusterOptions cluster = new ClusterOptions();

    @Override
    public void check(Problems problems) {
        cluster.check(problems);
        problems.require(
                !onCluster || model == null && shape == null,
                "--cluster: expected no --model and no --shape with it, of which it knows nothing");
        ModelPath.check(problems, "--model", model);
        problems.require(model == null || shape == null, "--model, --shape: expected at most one of them, found both");
        problems.requireAtLeast("--sequence-length", 2, sequenceLength);
        problems.requireAtLeast("--batch-size", 1, batchSize);
        if (microRows != null) {
            problems.requireAtLeast("--micro-batch-size", 1, microRows);
        }

        problems.requireAtLeast("--rank", 1, rank);
        problems.require(
                device != DeviceChoice.AUTO, "--device: expected cpu or cuda, found auto, which is for tasks of Spark");
        problems.requireAtLeast("--threads", 1, threads);
        problems.requireAtLeast("--repetitions", 1, repetitions);
        problems.require(
                warmUpSeconds >= 0 && Double.isFinite(warmUpSeconds),
                "--warm-up: expected a finite number, 0 or more, found %s",
                warmUpSeconds);
    }

    @Override
    public String run(Console console) {
        if (onCluster) {
            ClusterSpeed speed = new SpeedJobs(cluster.context("bench", console)).measure();
            new ClusterSpeedTable(speed).lines().forEach(line -> console.note("%s", line));
            return ClusterSpeedJson.summary(speed);
        }

        if (model != null) {
            return measure(ModelPath.folder(model, cache), cache, console);
        }

        try (TemporaryFolder folder = TemporaryFolder.create("spark-qlora-bench")) {
            Path random = folder.path().resolve("model");
            RandomModel.write(random, shape());
            return measure(random, ModelCache.at(folder.path().resolve("cache")), console);
        }
    }

    private String measure(Path folder, ModelCache copies, Console console) {
        FolderModelSource source = new FolderModelSource(
                        folder.toAbsolutePath().normalize().toString(), spec(precision(console::note)), copies)
                .on(device);
        List<Figure> figures = new ArrayList<>();
        try (DecoderGradientModel opened = source.open(threads, List.of())) {
            if (opened.gpu().isPresent()) {
                measure(opened, opened.gpu().orElseThrow(), figures::addAll);
            } else {
                measure(opened, figures::addAll);
            }
        }

        if (ProcessMemory.isTold()) {
            figures.add(new Figure(
                    "memory",
                    "peak_resident_bytes",
                    ProcessMemory.ofThisProcess().peakBytes()));
        }

        BenchReport report =
                new BenchReport(model == null ? shape().optionName() : model.toString(), setting(), figures);
        report.lines().forEach(line -> console.note("%s", line));
        return BenchJson.summary(report);
    }

    /** Products of the processor and its kernels say nothing here, and parts do not wait for the card. */
    private void measure(DecoderGradientModel opened, Gpu gpu, Consumer<List<Figure>> found) {
        ModelConfig config = opened.decoder().config();
        OptionalDouble peak = CardPeak.of(gpu.name());
        found.accept(stepBench(opened).steps(peak.isPresent() ? Roofline.of(config, peak.getAsDouble()) : null));
        BatchShape step = new BatchShape(sequenceLength, batchSize, microBatchSize(), 1, 1);
        found.accept(CardBench.of(gpu, GpuMemoryPlan.of(config, spec(precision()), OPTIMIZER, Paging.DEFAULT, step))
                .figures());
    }

    private StepBench stepBench(DecoderGradientModel opened) {
        return new StepBench(opened, precision(), OPTIMIZER, setting(), new Repetitions(repetitions, warmUpSeconds));
    }

    private void measure(DecoderGradientModel opened, Consumer<List<Figure>> found) {
        ModelConfig config = opened.decoder().config();
        KernelBench kernels = new KernelBench(threads, new Repetitions(repetitions, warmUpSeconds));
        StepBench step = stepBench(opened);
        double operations = kernels.productOperations(config.hiddenSize(), config.intermediateSize());
        found.accept(kernels.products(config.hiddenSize(), config.intermediateSize(), operations));
        if (parts.contains(BenchPart.KERNELS)) {
            found.accept(kernels.fourBit());
            found.accept(kernels.optimizers());
        }

        if (parts.contains(BenchPart.PASS)) {
            found.accept(step.parts());
        }

        if (parts.contains(BenchPart.STEP)) {
            found.accept(step.steps(Roofline.of(config, operations)));
        }
    }

    private BenchReport.BenchSetting setting() {
        return new BenchReport.BenchSetting(threads, sequenceLength, batchSize, microBatchSize(), rank);
    }

    private int microBatchSize() {
        int passes = device == DeviceChoice.CUDA ? 1 : threads;
        return microRows == null ? BatchShape.microBatchSize(sequenceLength, batchSize, 1, passes) : microRows;
    }

    private ModelShape shape() {
        return shape == null ? ModelShape.SMOLLM2_135M : shape;
    }

    private Precision precision() {
        return precision(note -> {});
    }

    private Precision precision(Consumer<String> note) {
        return precision.on(() -> device == DeviceChoice.CUDA ? Gpu.capability(0) : Optional.empty(), note);
    }

    private ModelSpec spec(Precision settled) {
        return new ModelSpec(Method.QLORA, settled, QuantSpec.DEFAULT, LoraSpec.allLinear(rank, 2.0 * rank));
    }
}
