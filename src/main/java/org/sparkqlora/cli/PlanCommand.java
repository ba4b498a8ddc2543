package org.sparkqlora.cli;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.model.Method;
import org.sparkqlora.model.ModelSpec;
import org.sparkqlora.train.FolderModelSource;
import org.sparkqlora.train.MemoryComparison;
import org.sparkqlora.train.MemoryPlan;
import org.sparkqlora.train.StepSize;
import org.sparkqlora.weights.LlamaSizes;
import org.sparkqlora.weights.ModelConfig;
import org.sparkqlora.weights.ModelConfigJson;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code plan}: where memory would go, before any work. */
@CommandLine.Command(
        name = "plan",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        abbreviateSynopsis = true,
        description = "Reckons, from the shape of a model alone, where memory would go in full fine-tuning, LoRA and"
                + " QLoRA, and what would fit where. Takes the options of train that matter.")
final class PlanCommand implements Command {
    @Option(
            names = "--model",
            paramLabel = "DIR",
            description = "Model folder; only its config.json is read, unless to measure.")
    @Nullable
    Path model;

    @Option(
            names = "--parameters",
            paramLabel = "N",
            description = "Instead of --model: a size such as 13B, taken for a Llama model.")
    @Nullable
    ParameterCount parameters;

    @Mixin
    NumericsOptions numerics = new NumericsOptions();

    @Mixin
    LengthOptions length = new LengthOptions();

    @Mixin
    BatchOptions batch = new BatchOptions();

    @Option(names = "--shards", paramLabel = "P", description = "Tasks a step. Default: one an executor.")
    @Nullable
    Integer shards;

    @Option(
            names = "--executors",
            defaultValue = "1",
            paramLabel = "N",
            description = "Processes that share the tasks; each runs its own at once. Default: ${DEFAULT-VALUE}.")
    int executors = 1;

    @Option(
            names = "--measure",
            description = "Also take a step of each method on --model, each in a process of its own, and tell its peak"
                    + " memory beside the predicted one.")
    boolean measure;

    @Option(names = "--model-cache", paramLabel = "DIR", description = "For --measure, as of train.")
    Path cache = new ModelOptions().cache;

    @Mixin
    AdapterOptions adapter = new AdapterOptions();

    @Mixin
    UpdateOptions update = new UpdateOptions();

    @Override
    public void check(Problems problems) {
        problems.require(
                (model == null) != (parameters == null),
                "--model, --parameters: expected one of them, found %s",
                model == null ? "none" : "both");
        problems.requireFolder("--model", model);
        if (model == null && parameters != null) {
            problems.collect("--parameters", this::config);
        }

        problems.require(!measure || model != null, "--measure: expected --model with it, found none");
        problems.require(!measure || PeakMemory.supported(), "--measure: expected Linux, found another system");
        problems.collect("--sequence-length, --batch-size, --micro-batch-size, --shards, --executors", this::step);
        adapter.check(problems);
        update.check(problems);
    }

    @Override
    public void run(Console console) {
        ModelConfig config = config();
        PlanReport report = new PlanReport(
                config,
                MemoryComparison.of(config, spec(), update.optimizer(), update.plannedPaging(), step()),
                MemoryComparison.asUsuallyTold(config, spec(), update.optimizer(), step()),
                machineBytes(),
                measure ? measurements(config) : List.of());
        report.lines().forEach(line -> console.note("%s", line));
        console.result(PlanJson.summary(report));
    }

    private List<Measurement> measurements(ModelConfig config) {
        StepSize oneTask = new StepSize(length.tokens, batch.microRows, batch.microRows, 1, 1, batch.recompute);
        return MemoryComparison.of(config, spec(), update.optimizer(), update.plannedPaging(), oneTask).all().stream()
                .map(plan -> measurement(plan, config))
                .toList();
    }

    private Measurement measurement(MemoryPlan plan, ModelConfig config) {
        StepTrial trial = new StepTrial(
                new FolderModelSource(absolute(Required.value("--model", model)), plan.spec(), absolute(cache))
                        .recomputing(batch.recompute),
                update.optimizer(),
                update.plannedPaging(),
                config.vocabularySize(),
                length.tokens,
                batch.microRows,
                Runtime.getRuntime().availableProcessors());
        trial.prepare();
        return new Measurement(plan.method(), plan.executorBytes(), TrialProcess.peakOf(trial));
    }

    private static String absolute(Path folder) {
        return folder.toAbsolutePath().normalize().toString();
    }

    private ModelConfig config() {
        return model == null
                ? LlamaSizes.of(Required.value("--parameters", parameters).value())
                : ModelConfigJson.read(model.resolve("config.json"));
    }

    private ModelSpec spec() {
        // taken out of a base or drawn, adapters are as large
        return numerics.spec(Method.QLORA, adapter.spec().drawn());
    }

    private StepSize step() {
        return new StepSize(
                length.tokens,
                batch.rows,
                batch.microRows,
                shards == null ? executors : shards,
                executors,
                batch.recompute);
    }

    /** Memory of this machine, or what its container allows. */
    private static long machineBytes() {
        return ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getTotalMemorySize();
    }
}
