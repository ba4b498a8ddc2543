package org.sparkqlora.command.plan;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.command.Command;
import org.sparkqlora.memory.GpuMemoryPlan;
import org.sparkqlora.memory.MemoryComparison;
import org.sparkqlora.memory.MemoryPlan;
import org.sparkqlora.model.BaseMemoryLimit;
import org.sparkqlora.model.layout.FactorInitialization;
import org.sparkqlora.model.layout.Method;
import org.sparkqlora.model.layout.ModelSpec;
import org.sparkqlora.model.layout.ParameterIndex;
import org.sparkqlora.options.AdapterOptions;
import org.sparkqlora.options.BaseOptions;
import org.sparkqlora.options.BatchOptions;
import org.sparkqlora.options.Console;
import org.sparkqlora.options.ExchangeOptions;
import org.sparkqlora.options.GivenOptions;
import org.sparkqlora.options.LengthOptions;
import org.sparkqlora.options.ModelAddress;
import org.sparkqlora.options.ModelPath;
import org.sparkqlora.options.NumericsOptions;
import org.sparkqlora.options.OptionGroup;
import org.sparkqlora.options.PageChoice;
import org.sparkqlora.options.ParameterCount;
import org.sparkqlora.options.Problems;
import org.sparkqlora.options.RecomputeChoice;
import org.sparkqlora.options.Required;
import org.sparkqlora.options.UpdateOptions;
import org.sparkqlora.run.model.AdapterStart;
import org.sparkqlora.run.model.Vocabulary;
import org.sparkqlora.spark.check.DriverGradients;
import org.sparkqlora.spark.cluster.Location;
import org.sparkqlora.spark.cluster.ProcessFacts;
import org.sparkqlora.spark.exchange.ExchangeChoice;
import org.sparkqlora.spark.exchange.ExchangeKind;
import org.sparkqlora.spark.exchange.GradientSize;
import org.sparkqlora.storage.ModelCache;
import org.sparkqlora.tensor.DeviceChoice;
import org.sparkqlora.train.BatchShape;
import org.sparkqlora.train.metrics.ProcessMemory;
import org.sparkqlora.weights.family.LlamaSizes;
import org.sparkqlora.weights.family.ModelConfig;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code plan}: where memory and time would go, before any work. */
@OptionGroup.In(OptionGroup.RUN)
@CommandLine.Command(
        name = "plan",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        abbreviateSynopsis = true,
        description = "Estimates, from the shape of a model alone, where memory would go in full fine-tuning, LoRA and"
                + " QLoRA, what would fit where, and with --network how long a step would take. Takes the options of train that"
                + " matter.")
public final class PlanCommand implements Command {
    /** Options that train has not, or that a trial gets in a form of its own. */
    private static final Set<String> NOT_OF_TRAINING = Set.of(
            "--measure",
            "--executors",
            "--network",
            "--cluster-constants",
            "--tokens-per-second",
            "--shards",
            "--batch-size",
            "--micro-batch-size",
            "--optimizer-pages",
            "--base-memory",
            "--recompute",
            "--task-cpus",
            "--passes-at-once",
            "--device");

    @Spec
    @Nullable
    CommandSpec command;

    @OptionGroup.In(OptionGroup.MODEL)
    @Option(
            names = "--model",
            converter = ModelAddress.class,
            paramLabel = "PATH",
            description = "Model, as of train; only its config.json is read, unless to measure or from a hub.")
    @Nullable
    Location model;

    @OptionGroup.In(OptionGroup.MODEL)
    @Option(
            names = "--parameters",
            paramLabel = "N",
            description = "Instead of --model: a size such as 13B, taken for a Llama model.")
    @Nullable
    ParameterCount parameters;

    @Mixin
    NumericsOptions numerics = new NumericsOptions();

    @Mixin
    BaseOptions base = new BaseOptions();

    @Mixin
    LengthOptions length = new LengthOptions();

    @Mixin
    BatchOptions batch = new BatchOptions();

    @OptionGroup.In(OptionGroup.CLUSTER)
    @Option(names = "--shards", paramLabel = "P", description = "Tasks a step. Default: one an executor.")
    @Nullable
    Integer shards;

    @OptionGroup.In(OptionGroup.CLUSTER)
    @Option(
            names = "--executors",
            defaultValue = "1",
            split = ",",
            paramLabel = "N",
            description =
                    "Processes that share the tasks; each runs its own at once. Several, as 8,64,256, for --network; memory is told of the"
                            + " first. Default: ${DEFAULT-VALUE}.")
    List<Integer> executors = List.of(1);

    @Mixin
    CostOptions costs = new CostOptions();

    @Option(
            names = "--spark-conf",
            arity = "0..1",
            fallbackValue = "qlora",
            paramLabel = "METHOD",
            description =
                    "Print what Spark must be told for METHOD (qlora unless given). In place of the summary on stdout: memory, overhead and cores, as lines of a properties file.")
    @Nullable
    Method settingsOf;

    @OptionGroup.In(OptionGroup.CLUSTER)
    @Option(
            names = "--task-cpus",
            defaultValue = "1",
            paramLabel = "N",
            description =
                    "Cores that a task computes with. On the processor each has a micro-batch of its own, as far as a"
                            + " shard has several, and takes memory for it. Default: ${DEFAULT-VALUE}.")
    int threads = 1;

    @Option(
            names = "--measure",
            description =
                    "Also train --model a few steps by each method and tell the peak memory. On arbitrary tokens, each in a process of its own on this machine, beside the predicted peak.")
    boolean measure;

    @OptionGroup.In(OptionGroup.MODEL)
    @Option(names = "--model-cache", paramLabel = "DIR", description = "For --measure, as of train.")
    ModelCache cache = ModelCache.ofUser();

    @OptionGroup.In(OptionGroup.CLUSTER)
    @Option(
            names = "--device",
            defaultValue = "cpu",
            paramLabel = "CHOICE",
            description =
                    "With cuda also the memory of a GPU, and --spark-conf for GPUs, one a task. It is estimated, not measured on one. Default: ${DEFAULT-VALUE}.")
    DeviceChoice device = DeviceChoice.CPU;

    @Mixin
    AdapterOptions adapter = new AdapterOptions();

    @Mixin
    UpdateOptions update = new UpdateOptions();

    @Mixin
    ExchangeOptions exchange = new ExchangeOptions();

    @Override
    public void check(Problems problems) {
        problems.require(
                (model == null) != (parameters == null),
                "--model, --parameters: expected one of them, found %s",
                model == null ? "none" : "both");
        ModelPath.check(problems, "--model", model);
        if (model == null && parameters != null) {
            problems.collect("--parameters", this::config);
        }

        problems.require(!measure || model != null, "--measure: expected --model with it, found none");
        problems.require(!measure || ProcessMemory.isTold(), "--measure: expected Linux, found another system");
        problems.require(
                !measure || base.known().equals(BaseMemoryLimit.ALL),
                "--measure: expected no --base-memory with it, which full training has not");
        costs.check(problems, executors);
        problems.require(threads > 0, "--task-cpus: expected at least 1, found %d", threads);
        problems.require(!measure || !onGpus(), "--measure: expected no --device cuda with it");
        problems.require(!base.known().dequantized() || !onGpus(), BaseOptions.DEQUANTIZED_ON_GPU);
        problems.require(!measure || settingsOf == null, "--spark-conf: expected no --measure with it");
        problems.collect(
                "--sequence-length, --batch-size, --micro-batch-size, --passes-at-once, --shards, --executors",
                () -> executors.stream().map(this::step).toList());
        adapter.check(problems);
        update.check(problems);
        exchange.check(problems);
    }

    @Override
    public String run(Console console) {
        ModelConfig config = config();
        MemoryComparison plans = MemoryComparison.of(config, spec(), update.optimizer(), update.plannedPaging(), step())
                .map(plan -> withDriver(config, plan.withBase(base.known(), config, step())));
        PlanReport report = new PlanReport(
                config,
                plans,
                MemoryComparison.asUsuallyTold(config, spec(), update.optimizer(), step()),
                cards(config, plans),
                onGpus(),
                ProcessFacts.machineBytesHere(),
                measure ? measurements(config, console) : List.of());
        report.lines().forEach(line -> console.note("%s", line));
        List<WindowCost> windows = windows(config);
        windows.forEach(window -> console.note("%s", window.line()));
        Optional<CostReport> times = costs(config, plans);
        times.ifPresent(seconds -> seconds.lines().forEach(line -> console.note("%s", line)));
        if (settingsOf == null) {
            return MemorySummaryJson.summary(
                    report, times.map(CostReport::costs).orElse(List.of()), windows);
        }

        settings(report, settingsOf).lines().forEach(console::result);
        return "";
    }

    /** One executor may be a local master, whose driver runs the tasks. */
    private MemoryPlan withDriver(ModelConfig config, MemoryPlan plan) {
        if (step().executors() == 1 && exchange.wanted() == ExchangeKind.AUTO) {
            return plan;
        }

        long parameters = ParameterIndex.of(config, plan.spec()).size();
        GradientSize size = new GradientSize(parameters, step().shards(), exchange.wire);
        MemoryPlan exchanged = plan.withDriverGradients(DriverGradients.bytes(exchange.wanted(), size, 1));
        AdapterStart start = new AdapterStart(plan.spec().lora(), adapter.initial, Vocabulary.UNCHANGED);
        if (!ExchangeChoice.executorsHoldState(exchange.wanted(), size)) {
            return exchanged;
        }

        MemoryPlan held = start.isSameEverywhere() ? exchanged.withoutDriverOptimizer() : exchanged;
        return exchange.zeroStage.of(held);
    }

    private boolean onGpus() {
        return device == DeviceChoice.CUDA;
    }

    private Map<Method, CardPlan> cards(ModelConfig config, MemoryComparison plans) {
        return plans.all().stream()
                .map(MemoryPlan::spec)
                .collect(Collectors.toMap(ModelSpec::method, spec -> card(config, spec)));
    }

    private CardPlan card(ModelConfig config, ModelSpec spec) {
        GpuMemoryPlan memory = GpuMemoryPlan.of(config, spec, update.optimizer(), update.plannedPaging(), step())
                .withBase(base.known(), config, spec);
        return CardPlan.of(memory, config, spec, step());
    }

    private PlanSettings settings(PlanReport report, Method method) {
        MemoryPlan plan = report.plans().all().stream()
                .filter(candidate -> candidate.method() == method)
                .findFirst()
                .orElseThrow();
        return new PlanSettings(plan, onGpus() ? report.card(plan).memory() : null, step(), threads);
    }

    /** Of one executor, with the tasks that it would have. */
    private List<PlanReport.Measurement> measurements(ModelConfig config, Console console) {
        BatchShape one = step().ofOneExecutor();
        List<MemoryPlan> plans = MemoryComparison.of(config, spec(), update.optimizer(), update.plannedPaging(), one)
                .all();
        GivenOptions given = new GivenOptions(Required.value("command", command));
        List<String> options = new ArrayList<>(given.without(NOT_OF_TRAINING));
        options.add("--optimizer-pages="
                + PageChoice.of(update.plannedPaging().place()).optionName());
        options.add("--base-memory=all");
        options.add("--recompute=" + RecomputeChoice.label(one.recompute()));
        try (TrialRuns trials = TrialRuns.of(config.vocabularySize(), one, options)) {
            return plans.stream()
                    .map(plan -> plan.withBase(base.known(), config, one))
                    .map(plan -> new PlanReport.Measurement(
                            plan.method(), plan.executorBytes(), trials.peakOf(plan.method(), console)))
                    .toList();
        }
    }

    private ModelConfig config() {
        return model == null
                ? LlamaSizes.of(Required.value("--parameters", parameters).value())
                : ModelPath.config(model, cache);
    }

    private ModelSpec spec() {
        // taken out of a base or drawn, adapters are as large
        return numerics.spec(
                Method.QLORA,
                adapter.spec().withInitialization(FactorInitialization.DEFAULT),
                numerics.precision.planned());
    }

    private Optional<CostReport> costs(ModelConfig config, MemoryComparison plans) {
        return costs.report(
                config,
                plans.all().stream().map(MemoryPlan::spec).toList(),
                executors.stream().map(this::step).toList(),
                operations(),
                threads,
                exchange.wire,
                (spec, step) -> exchange.zeroStage
                        .of(MemoryPlan.of(config, spec, update.optimizer(), update.plannedPaging(), step))
                        .shardsOptimizer());
    }

    /** The cost of a bound on the base, for each method whose base is larger. */
    private List<WindowCost> windows(ModelConfig config) {
        if (!base.known().isBounded()) {
            return List.of();
        }

        DiskSpeed disk = model == null ? DiskSpeed.ASSUMED : DiskSpeed.of(ModelPath.folder(model, cache));
        ComputeSpeed speed = new ComputeSpeed(operations());
        return MemoryComparison.of(config, spec(), update.optimizer(), update.plannedPaging(), step()).all().stream()
                .filter(plan -> plan.baseBytes() > base.known().bytes())
                .map(plan -> WindowCost.of(
                        config, plan, base.known(), step(), speed.seconds(config, plan.spec(), step()), disk))
                .toList();
    }

    private double operations() {
        return onGpus() ? CostConstants.DEFAULT.gpuOperations() : threads * CostConstants.DEFAULT.threadOperations();
    }

    private BatchShape step() {
        return step(executors.get(0));
    }

    private BatchShape step(int count) {
        int tasks = shards == null ? count : shards;
        int rows = rows(tasks);
        int passes = onGpus() ? 1 : batch.passesOf(threads);
        return new BatchShape(
                length.tokens,
                rows,
                batch.microRows().orElseGet(() -> BatchShape.microBatchSize(length.tokens, rows, tasks, passes)),
                tasks,
                count,
                batch.recompute.planned(),
                passes);
    }

    /** As asked for, or by default as many as a step has tasks at least. */
    private int rows(int tasks) {
        boolean asked = new GivenOptions(Required.value("command", command)).contains("--batch-size");
        return asked ? batch.rows : Math.max(batch.rows, tasks);
    }
}
