package org.sparkqlora.run;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.Supplier;
import org.apache.spark.api.java.JavaSparkContext;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.checkpoint.CheckpointStore;
import org.sparkqlora.memory.MemoryPlan;
import org.sparkqlora.model.GenerationSpec;
import org.sparkqlora.model.ParameterIndex;
import org.sparkqlora.model.PassOptions;
import org.sparkqlora.model.Recompute;
import org.sparkqlora.model.Sampling;
import org.sparkqlora.optim.Paging;
import org.sparkqlora.options.Console;
import org.sparkqlora.options.Overlap;
import org.sparkqlora.options.Required;
import org.sparkqlora.options.TrainOptions;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.spark.check.ClusterNeeds;
import org.sparkqlora.spark.cluster.Location;
import org.sparkqlora.spark.cluster.ScratchFolder;
import org.sparkqlora.spark.cluster.TaskSlots;
import org.sparkqlora.spark.exchange.ExchangeChoice;
import org.sparkqlora.spark.job.SparkGradientSource;
import org.sparkqlora.spark.job.TrainingRun;
import org.sparkqlora.spark.mlflow.MlflowExperiment;
import org.sparkqlora.spark.prepare.PreparedData;
import org.sparkqlora.spark.prepare.RowsDay;
import org.sparkqlora.spark.replica.FactorFolder;
import org.sparkqlora.spark.replica.SnapshotPolicy;
import org.sparkqlora.tokenizer.ModelTokenizer;
import org.sparkqlora.train.BatchPlan;
import org.sparkqlora.train.BestModelAndSamples;
import org.sparkqlora.train.CheckpointStateStore;
import org.sparkqlora.train.FolderModelSource;
import org.sparkqlora.train.Resume;
import org.sparkqlora.train.StateHome;
import org.sparkqlora.train.StateStore;
import org.sparkqlora.train.TrainPlan;
import org.sparkqlora.train.TrainState;
import org.sparkqlora.train.Trainer;
import org.sparkqlora.train.metrics.MetricsFile;
import org.sparkqlora.train.metrics.MetricsLog;
import org.sparkqlora.train.metrics.TrainSummary;
import org.sparkqlora.weights.SourceFingerprint;
import org.sparkqlora.weights.family.ModelConfig;

/** A training run from its options to its adapter: check, prepare, plan, train, publish. Driver only. */
public final class TrainingJob {
    static final String CHECKPOINTS = "checkpoints";
    static final String BEST = "best";

    private static final List<String> OUTPUTS = List.of(
            CHECKPOINTS,
            BEST,
            TrainingRows.TRAINED,
            TrainingRows.HELD_OUT,
            InitialAdapter.FOLDER,
            PublishedModel.ADAPTER,
            PublishedModel.MODEL);

    /** As many as a store keeps at least. */
    private static final int BESTS = 2;

    static final String METRICS = "metrics.jsonl";

    /** How far a run goes. */
    public enum Until {
        /** All is found possible: nothing is written. */
        CHECKED,
        /** There is a result. */
        PUBLISHED
    }

    private final TrainOptions options;
    private final Until until;
    private final Console console;

    public TrainingJob(TrainOptions options, Until until, Console console) {
        this.options = options;
        this.until = until;
        this.console = console;
    }

    /** What it came to; nothing where it was only checked, which is told. */
    public Optional<Trained> run() {
        requireOutputOfItsOwn();
        Optional<MlflowExperiment> mlflow = options.run.mlflow.open();
        Path folder = options.model.folder();
        ModelConfig config = BaseCheck.config(options.model);
        AdapterStart start = AdapterStart.of(options.model.method, options.adapter, folder, config);
        BaseCheck.check(options.model, start.lora());
        ModelEncoders encoders = ModelEncoders.of(options.model.tokenizer(), options.data, start, config);
        try (OutputFolder output = OutputFolder.open(options.run.output())) {
            JavaSparkContext context = options.cluster.context("train", console);
            PlanFile planFile = new PlanFile(output.location());
            RowsDay begun = options.run.overwrite ? null : planFile.day();
            Preparation preparation = new Preparation(context, console, options.evaluation.trained(), begun);
            if (!options.run.overwrite) {
                planFile.requireBase(options.model.address(), SourceFingerprint.ofContent(folder));
                planFile.requireData(preparation.fingerprint(options.data.sources, encoders, options.data));
            }

            ClusterSetup setup = new ClusterSetup(context, options, console);
            FolderModelSource whole = options.source(start.lora(), setup.precision(planFile));
            int shards = setup.shards(tasks(context, planFile));
            ParameterIndex index = ParameterIndex.of(config, whole.spec());
            Paging paging = setup.paging(index, shards);
            ExchangeChoice exchange = setup.exchange(index, shards);
            int width = preparation.width(options.data.sources, options.data);
            Recompute recompute = setup.recompute(config, whole.spec(), paging, width, shards);
            MemoryPlan memory = setup.memory(config, whole.spec(), paging, width, shards, recompute);
            setup.check(new ClusterNeeds(whole, folders(preparation, output), shards, memory), exchange);
            if (until == Until.CHECKED) {
                TrainingRows.look(preparation, options);
                console.result(SummaryJson.checked(shards, exchange, memory));
                return Optional.empty();
            }

            TrainingRows data = new TrainingRows(options, encoders, output);
            PreparedData rows = data.trained(preparation);
            PreparedData heldOut = data.heldOut(context, console);
            TrainPlan asked = plan(rows, whole, start, shards);
            new RowWarnings(context, console).ofTraining(config, rows, heldOut);
            Optional<EarlierRun> replaced = replaced(output, planFile, asked);
            TrainPlan plan = withTakenFactors(replaced.isPresent() ? asked : planFile.goingOn(asked, console), output);
            FolderModelSource model =
                    source(context, plan, output).passing(new PassOptions(recompute, setup.passesAtOnce()));
            TrainingRun run = new TrainingRun(plan, model, rows, heldOut, paging, SnapshotPolicy.DEFAULT);
            Watched watched = new Watched(memory, mlflow, config.vocabularySize(), replaced);
            return Optional.of(train(context, run, exchange, start, output, watched));
        }
    }

    /** Nothing that a run reads may lie where it writes, and nothing that it replaces may be somebody else's. */
    private void requireOutputOfItsOwn() {
        Location output = options.run.output();
        Overlap overlap = new Overlap(output, OUTPUTS);
        overlap.refuse("--model", options.model.model);
        overlap.refuse("--init-adapter", options.adapter.initial);
        overlap.refuse("--prepared", options.run.prepared);
        overlap.refuse("--eval-prompts", options.evaluation.prompts);
        overlap.refuseData("--data", options.data.sources);
        overlap.refuseData("--eval-data", options.evaluation.heldOut);
        if (!options.run.overwrite) {
            new EarlierRun(output).requireOwn();
        }
    }

    /** What a run by {@code --overwrite} takes the place of: one of the same plan goes on. */
    private Optional<EarlierRun> replaced(OutputFolder output, PlanFile planFile, TrainPlan asked) {
        EarlierRun earlier = new EarlierRun(output.location());
        boolean isOfAnother = planFile.recorded().isEmpty() || planFile.isOfAnother(asked);
        return options.run.overwrite && isOfAnother && !earlier.parts().isEmpty()
                ? Optional.of(earlier)
                : Optional.empty();
    }

    private void overwrite(EarlierRun earlier) {
        console.note("--overwrite: removing %s", String.join(", ", earlier.parts()));
        earlier.remove();
    }

    private @Nullable SampleFile samples(AdapterStart start, OutputFolder output) {
        Path prompts = options.evaluation.prompts;
        if (prompts == null) {
            return null;
        }

        Path folder = options.model.folder();
        ModelTokenizer tokenizer = ModelTokenizer.open(
                folder, options.data.chatTemplate, start.vocabulary().added());
        GenerationSpec spec = new GenerationSpec(
                options.evaluation.maxNewTokens,
                EndTokens.of(folder, BaseCheck.config(options.model), tokenizer),
                new Sampling(0, 0, 1, options.run.seed));
        return SampleFile.of(output.resolve(SampleFile.NAME), prompts, tokenizer, spec);
    }

    private StateStore best(OutputFolder output, TrainPlan plan, StateHome home) {
        Location folder = output.resolve(BEST);
        return options.evaluation.keepBest
                ? states(new CheckpointStore(folder.files(), folder.path(), BESTS), plan, home)
                : StateStore.none();
    }

    private CheckpointStateStore states(CheckpointStore store, TrainPlan plan, StateHome home) {
        return new CheckpointStateStore(store, plan, home, this::warn);
    }

    private void warn(String warning) {
        console.note("%s", warning);
    }

    /** Takes the first adapters out of the base, where they begin so. */
    private TrainPlan withTakenFactors(TrainPlan plan, OutputFolder output) {
        return InitialAdapter.of(output.location(), plan)
                .map(initial -> plan.withTakenFactors(initial.prepare(options.model.folder(), output, console)))
                .orElse(plan);
    }

    private FolderModelSource source(JavaSparkContext context, TrainPlan plan, OutputFolder output) {
        FolderModelSource whole = options.source(plan.spec().lora(), plan.spec().precision());
        return InitialAdapter.of(output.location(), plan)
                .map(initial -> whole.without(
                        FactorFolder.of(context, initial.path(), Required.value("taken factors", plan.takenFactors()))))
                .orElse(whole);
    }

    /** What executors must see. */
    private List<String> folders(Preparation preparation, OutputFolder output) {
        List<String> folders = new ArrayList<>(preparation.readyFolder(options.data.sources));
        folders.add(output.location().path().toString());
        return folders;
    }

    /** The checkpoints of a run, which makes the output folder its own when it claims them. */
    private record OwnStates(CheckpointStateStore checkpoints, TrainPlan plan, OutputFolder output, Runnable replacing)
            implements StateStore {
        @Override
        public Optional<TrainState> newest() {
            return checkpoints.newest();
        }

        @Override
        public void save(TrainState state) {
            checkpoints.save(state);
        }

        /** All that could be wrong with the input was found by now: from here on the folder is worth keeping. */
        @Override
        public void claim() {
            output.keep();
            checkpoints.claim();
            replacing.run();
            new PlanFile(output.location()).write(plan);
        }

        @Override
        public void requireOwned() {
            checkpoints.requireOwned();
        }
    }

    /** As asked for, or as many as this run was begun with, or as many as the cluster computes at once. */
    private int tasks(JavaSparkContext context, PlanFile planFile) {
        Integer asked = options.run.shards;
        return asked != null
                ? asked
                : planFile.recorded()
                        .map(plan -> plan.batches().shards())
                        .orElseGet(() -> TaskSlots.available(context));
    }

    private CheckpointStore checkpoints(OutputFolder output) {
        Location folder = output.resolve(CHECKPOINTS);
        return new CheckpointStore(folder.files(), folder.path(), options.run.keepCheckpoints);
    }

    private MetricsLog metrics(OutputFolder output, CheckpointStore checkpoints) {
        Location file = output.resolve(METRICS);
        return file.isLocal()
                ? new MetricsFile(file.local(), this::warn)
                : new MetricsObject(file, checkpoints::requireOwned, this::warn);
    }

    private TrainPlan plan(PreparedData rows, FolderModelSource model, AdapterStart start, int shards) {
        BatchPlan batches = options.run.batches(rows.rows(), shards);
        options.update.warn(batches.steps(), console);
        return new TrainPlan(
                        model.place().address(),
                        model.spec(),
                        start.name(),
                        rows.manifest().fingerprint(),
                        batches,
                        options.update.optimizer(model.spec().method()),
                        options.update.schedule(batches.steps()),
                        options.exchange.wire,
                        options.update.maxGradientNorm,
                        options.run.seed)
                .withBase(SourceFingerprint.ofContent(options.model.folder()));
    }

    private Trained train(
            JavaSparkContext context,
            TrainingRun run,
            ExchangeChoice exchange,
            AdapterStart start,
            OutputFolder output,
            Watched watched) {
        TrainPlan plan = run.plan();
        CheckpointStore checkpoints = checkpoints(output);
        try (Workers workers = new Workers(Runtime.getRuntime().availableProcessors());
                MetricsLog metrics = metrics(output, checkpoints);
                SampleFile samples = samples(start, output);
                FirstState first = firstState(run, start, home(run, workers));
                RunMonitor watching = new RunMonitor(context, run, watched, options.run, console)) {
            StateHome home = home(run, workers);
            Trainer trainer = new Trainer(
                    plan,
                    options.run.rhythm(options.evaluation.patience),
                    new OwnStates(
                            states(checkpoints, plan, home),
                            plan,
                            output,
                            () -> watched.replaced().ifPresent(this::overwrite)),
                    metrics,
                    watching.reporter(),
                    new BestModelAndSamples(best(output, plan, home), SampleFile.orNone(samples)));
            PublishedModel result = new PublishedModel(
                    output.location(), plan, first.index(), options.model.folder(), start.vocabulary());
            TrainSummary summary = trainRun(
                    watching,
                    () -> trainer.run(
                            watched.replaced().isPresent() ? Resume.NEVER : options.run.resume,
                            () -> TrainState.fresh(
                                            first.parameters(), first.index(), plan.optimizer(), plan.seed(), home)
                                    .in(plan.spec().precision()),
                            state -> new SparkGradientSource(context, run, state, exchange),
                            result::publish));
            watching.ended(summary, result);
            OptionalDouble lossOfResult = options.evaluation.lossOfResult(summary);
            String json = SummaryJson.trained(
                    summary,
                    lossOfResult,
                    exchange,
                    watching.faults(),
                    run.rows().manifest().counts(),
                    result);
            return new Trained(
                    summary,
                    lossOfResult,
                    output.location().toString(),
                    result.folder().toString(),
                    json);
        }
    }

    /** What ends a run early is told before it is thrown on. */
    private static TrainSummary trainRun(RunMonitor watching, Supplier<TrainSummary> run) {
        try {
            return run.get();
        } catch (Exception | Error e) { // Spark throws a lost job as a checked exception that no signature declares
            tellAfter(e, watching);
            throw e;
        }
    }

    private static void tellAfter(Throwable first, RunMonitor watching) {
        try {
            watching.failed(first);
        } catch (RuntimeException second) {
            first.addSuppressed(second);
        }
    }

    private static StateHome home(TrainingRun run, Workers workers) {
        return new StateHome(workers, run.paging(), ScratchFolder.ofProcess());
    }

    private static FirstState firstState(TrainingRun run, AdapterStart start, StateHome home) {
        TrainPlan plan = run.plan();
        return FirstState.of(
                run.model(),
                start,
                plan.seed(),
                home.workers().threads(),
                length -> home.zeros(plan.optimizer(), length));
    }
}
