package org.sparkqlora.run.train;

import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Supplier;
import org.apache.spark.api.java.JavaSparkContext;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.checkpoint.AdapterFolder;
import org.sparkqlora.checkpoint.CheckpointStore;
import org.sparkqlora.model.generation.EndTokens;
import org.sparkqlora.model.generation.GenerationSpec;
import org.sparkqlora.model.generation.Sampling;
import org.sparkqlora.objective.AnswerObjective;
import org.sparkqlora.objective.Reference;
import org.sparkqlora.options.Console;
import org.sparkqlora.options.Overlap;
import org.sparkqlora.options.Required;
import org.sparkqlora.options.TrainOptions;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.run.generate.SampleFile;
import org.sparkqlora.run.model.AdapterStart;
import org.sparkqlora.run.model.BaseCheck;
import org.sparkqlora.run.model.FirstState;
import org.sparkqlora.run.monitor.MetricsInStore;
import org.sparkqlora.run.monitor.RunMonitor;
import org.sparkqlora.run.output.EarlierRun;
import org.sparkqlora.run.output.InitialAdapter;
import org.sparkqlora.run.output.OutputFolder;
import org.sparkqlora.run.output.PlanFile;
import org.sparkqlora.run.output.PublishedModel;
import org.sparkqlora.run.output.RunFiles;
import org.sparkqlora.run.output.RunStates;
import org.sparkqlora.run.prepare.Preparation;
import org.sparkqlora.run.prepare.RowWarnings;
import org.sparkqlora.spark.cluster.FaultLog;
import org.sparkqlora.spark.cluster.Location;
import org.sparkqlora.spark.cluster.ScratchFolder;
import org.sparkqlora.spark.cluster.TaskSlots;
import org.sparkqlora.spark.job.SparkGradientSource;
import org.sparkqlora.spark.job.TrainingRun;
import org.sparkqlora.spark.prepare.PreparedData;
import org.sparkqlora.spark.prepare.RowScorer;
import org.sparkqlora.spark.replica.FactorFolder;
import org.sparkqlora.spark.replica.ReferenceAdapter;
import org.sparkqlora.spark.replica.ReferenceScorer;
import org.sparkqlora.spark.replica.SnapshotPolicy;
import org.sparkqlora.tokenizer.ModelTokenizer;
import org.sparkqlora.train.BatchPlan;
import org.sparkqlora.train.BestModelAndSamples;
import org.sparkqlora.train.CheckpointStateStore;
import org.sparkqlora.train.FolderModelSource;
import org.sparkqlora.train.ModelSource;
import org.sparkqlora.train.ObjectiveModelSource;
import org.sparkqlora.train.ReferenceParameters;
import org.sparkqlora.train.Resume;
import org.sparkqlora.train.StateHome;
import org.sparkqlora.train.StateStore;
import org.sparkqlora.train.TrainPlan;
import org.sparkqlora.train.Trainer;
import org.sparkqlora.train.metrics.MetricsFile;
import org.sparkqlora.train.metrics.MetricsLog;
import org.sparkqlora.train.metrics.TrainSummary;
import org.sparkqlora.weights.SourceFingerprint;

/** A training run from its options to its adapter: check, prepare, plan, train, publish. Driver only. */
public record TrainingJob(TrainOptions options, Console console) {
    /** As many as a store keeps at least. */
    private static final int BESTS = 2;

    /** Finds what would stop the run, and writes nothing. */
    public DryRun check() {
        requireOutputOfItsOwn();
        findLabels();
        TrainingSetup.Inputs inputs = TrainingSetup.Inputs.of(options);
        try (OutputFolder output = OutputFolder.open(options.run.output())) {
            TrainingSetup setup = TrainingSetup.of(options, inputs, output, console);
            TrainingRows.look(setup.preparation(), options);
            return new DryRun(setup.shards(), setup.exchange(), setup.memory());
        }
    }

    /** Trains and publishes the result; goes on from the newest checkpoint in the output folder. */
    public Trained run() {
        requireOutputOfItsOwn();
        findLabels();
        TrainingSetup.Inputs inputs = TrainingSetup.Inputs.of(options);
        try (OutputFolder output = OutputFolder.open(options.run.output())) {
            TrainingSetup setup = TrainingSetup.of(options, inputs, output, console);
            return new TrainingLineage(options, setup, console).follow(() -> trained(setup, output));
        }
    }

    private Trained trained(TrainingSetup setup, OutputFolder output) {
        TrainingSetup.Inputs inputs = setup.inputs();
        TrainingRows data = new TrainingRows(options, inputs.encoders(), output);
        PreparedData rows = data.trained(setup.preparation());
        PreparedData heldOut = data.heldOut(setup.context(), console);
        TrainPlan asked = plan(rows, setup);
        new RowWarnings(setup.context(), console).ofTraining(inputs.config(), rows, heldOut);
        EarlierRun replaced = replaced(output, asked);
        TrainPlan begun = replaced == null ? new PlanFile(output.location()).goingOn(asked, console) : asked;
        TrainPlan plan = withTakenFactors(begun, output);
        FolderModelSource model = source(setup.context(), plan, output).passing(setup.passes());
        TrainingRun run = new TrainingRun(
                plan,
                trained(setup, plan, model),
                rows,
                heldOut,
                setup.paging(),
                SnapshotPolicy.DEFAULT,
                setup.sharded());
        TrainingRun scored = options.objective.precomputesReference ? scored(setup, run, data) : run;
        return train(setup, scored, replaced, output);
    }

    private void findLabels() {
        if (options.data.needsLabels()) {
            new Preparation(options.cluster.context("train", console), console).findLabels(options.data);
        }
    }

    /** Nothing that a run reads may lie where it writes, and nothing that it replaces may be somebody else's. */
    private void requireOutputOfItsOwn() {
        Location output = options.run.output();
        Overlap overlap = new Overlap(output, RunFiles.FOLDERS);
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

    /** The run whose place this one takes by {@code --overwrite}; null if it goes on with what is there. */
    private @Nullable EarlierRun replaced(OutputFolder output, TrainPlan asked) {
        EarlierRun earlier = new EarlierRun(output.location());
        PlanFile plan = new PlanFile(output.location());
        boolean isOfAnother = plan.recorded().isEmpty() || plan.isOfAnother(asked);
        return options.run.overwrite && isOfAnother && !earlier.parts().isEmpty() ? earlier : null;
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
        return SampleFile.of(output.resolve(RunFiles.SAMPLES), prompts, tokenizer, spec);
    }

    private Optional<StateStore> best(OutputFolder output, TrainPlan plan, StateHome home) {
        Location folder = output.resolve(RunFiles.BEST);
        return options.evaluation.keepBest
                ? Optional.of(states(new CheckpointStore(folder.files(), folder.path(), BESTS), plan, home))
                : Optional.empty();
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

    /** The model with the loss of the plan's objective. */
    private static ModelSource trained(TrainingSetup setup, TrainPlan plan, FolderModelSource model) {
        if (!(plan.objective() instanceof AnswerObjective answers)) {
            return ObjectiveModelSource.of(model, plan.objective(), plan.sharedPrompts());
        }

        return new ObjectiveModelSource(
                model,
                answers,
                plan.sharedPrompts(),
                answers.reference().map(from -> reference(from, setup, plan)).orElse(null));
    }

    /** The run with rows that hold the log-probabilities of the reference, which the model then does without. */
    private static TrainingRun scored(TrainingSetup setup, TrainingRun run, TrainingRows data) {
        if (!(run.model() instanceof ObjectiveModelSource model) || model.reference() == null) {
            return run;
        }

        JavaSparkContext context = setup.context();
        TrainPlan plan = run.plan();
        RowScorer scorer = new ReferenceScorer(model, TaskSlots.threadsOfTask(context));
        String reference = "%s of %s %s for %s%s"
                .formatted(
                        model.reference().key(),
                        plan.base(),
                        plan.spec(),
                        model.objective(),
                        plan.sharedPrompts() ? " sharing prompts" : "");
        PreparedData heldOut = run.heldOut();
        return new TrainingRun(
                plan,
                model.withScoredRows(),
                data.scored(context, run.rows(), reference, scorer, RunFiles.SCORED_ROWS),
                heldOut == null
                        ? null
                        : data.scored(context, heldOut, reference, scorer, RunFiles.SCORED_HELD_OUT_ROWS),
                run.paging(),
                run.snapshots(),
                run.sharded());
    }

    private static ReferenceParameters reference(Reference from, TrainingSetup setup, TrainPlan plan) {
        return switch (from) {
            case BASE -> ReferenceParameters.base(plan.seed());
            case INITIAL -> {
                Location folder =
                        Required.value("--init-adapter", setup.inputs().start().folder());
                String hash = AdapterFolder.hash(folder.files(), folder.path());
                yield new ReferenceAdapter(
                        FactorFolder.of(setup.context(), folder.path().toString(), hash));
            }
        };
    }

    private CheckpointStore checkpoints(OutputFolder output) {
        Location folder = output.resolve(RunFiles.CHECKPOINTS);
        return new CheckpointStore(folder.files(), folder.path(), options.run.keepCheckpoints);
    }

    private MetricsLog metrics(OutputFolder output, CheckpointStore checkpoints) {
        Location file = output.resolve(RunFiles.METRICS);
        return file.isLocal()
                ? new MetricsFile(file.local(), this::warn)
                : new MetricsInStore(file, checkpoints::requireOwned, this::warn);
    }

    private TrainPlan plan(PreparedData rows, TrainingSetup setup) {
        FolderModelSource model = setup.model();
        BatchPlan batches = options.run.batches(rows.rows(), setup.shards(), setup.microRows());
        options.update.warn(batches.steps(), console);
        return new TrainPlan(
                        model.place().address(),
                        model.spec(),
                        setup.inputs().start().name(),
                        rows.manifest().fingerprint(),
                        batches,
                        options.update.optimizer(model.spec().method()),
                        options.update.schedule(batches.steps(), options.data.objective),
                        options.exchange.wire,
                        options.update.maxGradientNorm,
                        options.run.seed)
                .withObjective(options.objective())
                .withBase(SourceFingerprint.ofContent(options.model.folder()));
    }

    private Trained train(TrainingSetup setup, TrainingRun run, @Nullable EarlierRun replaced, OutputFolder output) {
        AdapterStart start = setup.inputs().start();
        CheckpointStore checkpoints = checkpoints(output);
        try (Workers workers = new Workers(Runtime.getRuntime().availableProcessors());
                MetricsLog metrics = metrics(output, checkpoints);
                SampleFile samples = samples(start, output);
                FreshStates fresh = freshStates(setup, run, home(run, workers));
                RunMonitor monitor = new RunMonitor(setup.monitor(), run, replaced != null, options, console)) {
            TrainPlan plan = run.plan();
            StateHome home = home(run, workers);
            Trainer trainer = new Trainer(
                    plan,
                    options.run.triggers(run.heldOut() != null || samples != null, options.evaluation.patience),
                    new RunStates(states(checkpoints, plan, home), plan, output, replaced, console),
                    metrics,
                    monitor.reporter(),
                    new BestModelAndSamples(best(output, plan, home), SampleFile.orNone(samples)));
            PublishedModel result = new PublishedModel(
                    output.location(), plan, fresh.index(), options.model.folder(), start.vocabulary());
            TrainSummary summary = monitor.watch(() -> trainer.run(
                    replaced == null ? options.run.resume : Resume.NEVER,
                    fresh,
                    origin -> {
                        fresh.forgetUnless(origin);
                        return new SparkGradientSource(setup.context(), run, origin, setup.exchange());
                    },
                    result::publish));
            monitor.ended(summary, result);
            return trained(summary, setup, run, monitor.faults(), result);
        }
    }

    private Trained trained(
            TrainSummary summary, TrainingSetup setup, TrainingRun run, FaultLog faults, PublishedModel result) {
        return new Trained(
                summary,
                options.evaluation.lossOfResult(summary),
                setup.exchange(),
                faults.failedTasks(),
                faults.lostExecutors(),
                run.rows().manifest().counts(),
                result.parameters(),
                options.run.output().toString(),
                result.folder().toString());
    }

    private static StateHome home(TrainingRun run, Workers workers) {
        return new StateHome(workers, run.paging(), ScratchFolder.ofProcess());
    }

    private static FreshStates freshStates(TrainingSetup setup, TrainingRun run, StateHome home) {
        AdapterStart start = setup.inputs().start();
        Supplier<FirstState> first = () -> firstState(run, start, home);
        return setup.exchange().executorsHoldState(run.plan().batches().localSteps()) && start.isSameEverywhere()
                ? FreshStates.ofExecutors(
                        first, FirstState.index(run.model(), home.workers().threads()), run.plan(), home)
                : FreshStates.ofDriver(first, run.plan(), home);
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
