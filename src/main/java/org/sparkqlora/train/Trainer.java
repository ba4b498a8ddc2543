package org.sparkqlora.train;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.concurrent.CancellationException;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.model.loss.LossTotal;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.train.StateStore.Stored;
import org.sparkqlora.train.metrics.Evaluated;
import org.sparkqlora.train.metrics.MetricsLog;
import org.sparkqlora.train.metrics.ProgressReporter;
import org.sparkqlora.train.metrics.StepMetrics;
import org.sparkqlora.train.metrics.TrainSummary;

/**
 * The training loop. Driver only. A restarted run continues from the {@link TrainState} of a checkpoint; only the evaluations before it,
 * which decide early stopping and the best State, are read back from the metrics log.
 */
public final class Trainer {
    private static final double NANOS = 1e9;

    /** In a row, without a new checkpoint. */
    private static final int MOST_LOSSES = 3;

    private final TrainPlan plan;
    private final TrainTriggers triggers;
    private final StateStore checkpoints;
    private final MetricsLog metrics;
    private final ProgressReporter reporter;
    private final BestModelAndSamples bestAndSamples;
    private EarlyStopping earlyStopping;
    private CheckpointWriter writer;
    private long followed; // the newest checkpoint from which a step was finite
    private final Stragglers stragglers = new Stragglers();

    public Trainer(
            TrainPlan plan,
            TrainTriggers triggers,
            StateStore checkpoints,
            MetricsLog metrics,
            ProgressReporter reporter,
            BestModelAndSamples bestAndSamples) {
        this.plan = plan;
        this.triggers = triggers;
        this.checkpoints = checkpoints;
        this.metrics = metrics;
        this.reporter = reporter;
        this.bestAndSamples = bestAndSamples;
        this.earlyStopping = EarlyStopping.after(List.of(), triggers.patience());
        this.writer = new CheckpointWriter(checkpoints, reporter, 0);
    }

    /**
     * Trains to the end of the plan, or until evaluations have not improved for as long as the triggers are patient. When all who had the
     * State are lost, it goes on from the newest checkpoint.
     *
     * @param resume whether to continue from a checkpoint
     * @param fresh State(0), asked for when there is nothing to continue from
     * @param sources computes gradients from the State of an origin on
     * @param publish takes the trained values, which it may only read, and only until it returns
     */
    public TrainSummary run(
            Resume resume,
            StateOrigin fresh,
            Function<StateOrigin, GradientSource> sources,
            Consumer<FlatVector> publish) {
        Resume from = resume;
        Supplier<Optional<Stored>> newest = checkpoints::newestByLength; // unreachable if it is damaged
        for (int lost = 1; ; lost++) {
            long before = writer.kept();
            try {
                return attempt(stored(from, newest), fresh, sources, publish);
            } catch (UnreachableStateException e) {
                newest = checkpoints::newest;
                if (writer.kept() > before) {
                    lost = 1;
                    from = Resume.AUTO;
                } else if (lost == MOST_LOSSES) {
                    throw e;
                }

                reporter.stateLost(writer.kept(), e.reason());
            }
        }
    }

    private TrainSummary attempt(
            Optional<Stored> stored,
            StateOrigin fresh,
            Function<StateOrigin, GradientSource> sources,
            Consumer<FlatVector> publish) {
        writer = new CheckpointWriter(
                checkpoints, reporter, stored.map(Stored::version).orElse(0L));
        if (writer.kept() >= plan.batches().steps()) {
            return publishLast(stored.orElseThrow(), publish);
        }

        try (GradientSource source =
                        sources.apply(stored.<StateOrigin>map(from -> from).orElse(fresh));
                CheckpointWriter ofAttempt = writer) {
            claim(source.position().version());
            TrainSummary summary = train(source);
            ofAttempt.finish(source::saved);
            publishBest(source, publish);
            return summary;
        }
    }

    private static Optional<Stored> stored(Resume resume, Supplier<Optional<Stored>> newest) {
        Optional<Stored> stored = resume == Resume.NEVER ? Optional.empty() : newest.get();
        if (resume == Resume.REQUIRED && stored.isEmpty()) {
            throw new BadInputException("Cannot resume: expected a checkpoint in the output folder, found none");
        }

        return stored;
    }

    /** The first change of the output: of two drivers, only the one that has claimed it goes on. */
    private void claim(long version) {
        checkpoints.claim();
        rewindOutputs(version);
    }

    /** What is left of a run that has taken all its steps. Its optimiser's state is not read. */
    private TrainSummary publishLast(Stored last, Consumer<FlatVector> publish) {
        claim(last.version());
        started(last.version());
        publish(bestParameters().orElseGet(last::parameters), publish);
        OptionalDouble evaluation = metrics.evaluations().stream()
                .filter(earlier -> earlier.step() == last.version())
                .mapToDouble(Evaluated::loss)
                .findFirst();
        return TrainSummary.start(plan.batches().steps(), last.version())
                .evaluated(evaluation)
                .ended(last.version(), earlyStopping.best());
    }

    private TrainSummary train(GradientSource source) {
        TrainSummary summary =
                TrainSummary.start(plan.batches().steps(), source.position().version());
        begin(source);
        while (source.position().version() < plan.batches().steps() && !earlyStopping.isExhausted()) {
            StepMetrics step = advanceUnlessCancelled(source);
            Optional<LossTotal> evaluated = evaluateIfDue(source, step);
            OptionalDouble evaluation =
                    evaluated.stream().mapToDouble(LossTotal::mean).findFirst();
            report(step.with(evaluationMeasures(evaluated)), evaluation);
            writer.poll(source::saved);
            checkpointIfDue(source, step);
            summary = summary.plus(step, evaluation);
        }

        return summary.ended(source.position().version(), earlyStopping.best());
    }

    /** Drops what an earlier process recorded after {@code version}, and reads back its evaluations up to there. */
    private void rewindOutputs(long version) {
        metrics.rewindTo(version);
        bestAndSamples.samples().rewindTo(version);
        earlyStopping = EarlyStopping.after(metrics.evaluations(), triggers.patience());
        if (version == 0) {
            bestAndSamples.best().ifPresent(StateStore::clear);
        }
    }

    private void begin(GradientSource source) {
        long version = source.position().version();
        started(version);
        if (version == 0) {
            bestAndSamples.samples().take(0, source);
        }
    }

    private void started(long version) {
        reporter.started(version, plan.batches().steps());
        triggers.begin(progress(version, Double.POSITIVE_INFINITY));
    }

    private void publishBest(GradientSource last, Consumer<FlatVector> publish) {
        Optional<FlatVector> best = bestParameters();
        if (best.isPresent()) {
            publish(best.get(), publish);
        } else {
            checkpoints.requireOwned();
            publish.accept(last.parameters());
        }
    }

    private Optional<FlatVector> bestParameters() {
        return bestAndSamples.best().flatMap(Trainer::parameters);
    }

    /** Those of the newest State, compared as they are read; where it is damaged, of the newest that is whole. */
    private static Optional<FlatVector> parameters(StateStore states) {
        try {
            return states.newestByLength().map(Stored::parameters);
        } catch (UnreachableStateException e) {
            return states.newest().map(Stored::parameters);
        }
    }

    private void publish(FlatVector parameters, Consumer<FlatVector> publish) {
        try (parameters) {
            checkpoints.requireOwned();
            publish.accept(parameters);
        }
    }

    /** A step that is cancelled was not taken: the State before it is kept, so that a later run loses nothing. */
    private StepMetrics advanceUnlessCancelled(GradientSource source) {
        try {
            StepMetrics step = advance(source);
            followed = writer.kept();
            return step;
        } catch (BrokenLossException e) {
            writer.finish(source::saved);
            throw e.after(followed, writer.kept());
        } catch (CancellationException e) {
            writer.finish(source::saved);
            if (source.position().version() > writer.kept()) {
                save(source, () -> source.saved(checkpoints::draft));
                writer.finish(source::saved);
            }

            throw e;
        }
    }

    private StepMetrics advance(GradientSource source) {
        return plan.batches().localSteps() == 1 ? step(source) : localRound(source);
    }

    private StepMetrics localRound(GradientSource source) {
        long version = source.position().version();
        int steps = plan.batches().roundFrom(version);
        StepGradient sum = source.localRound(plan);
        long begin = System.nanoTime();
        writer.beforeChange(source::saved);
        StateMean mean = new StateMean(sum.gradient().vector(), plan.batches().shards());
        double divergence = source.become(mean, steps);
        sum.gradient().close();
        report(sum.shards());
        return new StepMetrics(
                version + steps,
                sum.loss().mean(),
                sum.loss().tokenCount(),
                sum.tokens(),
                plan.schedule().learningRate(Math.toIntExact(version + steps - 1)),
                OptionalDouble.empty(),
                OptionalDouble.of(divergence),
                sum.seconds().withUpdate((System.nanoTime() - begin) / NANOS),
                measures(sum.loss()),
                source.optimizerResidentBytes());
    }

    private StepMetrics step(GradientSource source) {
        Position position = source.position();
        long version = position.version();
        StepGradient sum = source.gradient();
        long begin = System.nanoTime();
        ClippedUpdate step = ClippedUpdate.of(plan, position, sum.gradient(), sum.loss());
        requireFinite(position, step, sum.loss());
        if (!step.isFinite()) {
            position.lossScale().ifPresent(scale -> reporter.leftOut(version + 1, scale));
        }

        writer.beforeChange(source::saved);
        source.apply(step.update());
        sum.gradient().close();
        report(sum.shards());
        return new StepMetrics(
                version + 1,
                sum.loss().mean(),
                sum.loss().tokenCount(),
                sum.tokens(),
                step.update().learningRate(),
                step.isFinite() ? OptionalDouble.of(step.norm()) : OptionalDouble.empty(),
                OptionalDouble.empty(),
                sum.seconds().withUpdate((System.nanoTime() - begin) / NANOS),
                measures(sum.loss()),
                source.optimizerResidentBytes());
    }

    private Map<String, Double> measures(LossTotal loss) {
        return plan.objective().metrics(loss.measures());
    }

    private Map<String, Double> evaluationMeasures(Optional<LossTotal> evaluated) {
        return evaluated.map(loss -> StepMetrics.evaluation(measures(loss))).orElse(Map.of());
    }

    private Optional<LossTotal> evaluateIfDue(GradientSource source, StepMetrics taken) {
        long step = taken.step();
        if (!isDue(triggers.evaluate(), taken)) {
            return Optional.empty();
        }

        bestAndSamples.samples().take(step, source);
        LossTotal loss = source.evaluate();
        if (loss.terms() == 0) {
            return Optional.empty();
        }

        reporter.evaluated(step, loss.mean());
        if (earlyStopping.add(new Evaluated(step, loss.mean()))) {
            bestAndSamples.best().ifPresent(best -> saveBest(best, source.saved(best::draft)));
        }

        return Optional.of(loss);
    }

    private void report(List<ShardResult.Gradient> shards) {
        reporter.computed(shards.stream().map(ShardResult.Gradient::report).toList());
        stragglers.observe(shards).forEach(reporter::straggling);
    }

    private void report(StepMetrics step, OptionalDouble evaluation) {
        metrics.append(step, evaluation);
        reporter.stepDone(step);
    }

    private void checkpointIfDue(GradientSource source, StepMetrics taken) {
        if (isDue(triggers.checkpoint(), taken) || earlyStopping.isExhausted()) {
            boolean isLast = earlyStopping.isExhausted()
                    || taken.step() == plan.batches().steps();
            save(source, () -> isLast ? source.saved(checkpoints::draft) : source.savedByNextStep(checkpoints::draft));
        }
    }

    private void save(GradientSource source, Supplier<SavedState> state) {
        metrics.flush();
        writer.save(source::saved, state);
    }

    private static void saveBest(StateStore best, SavedState state) {
        try {
            best.save(state);
        } finally {
            state.release();
        }
    }

    private boolean isDue(Trigger trigger, StepMetrics taken) {
        return trigger.isNow(progress(taken.step(), taken.loss()))
                || taken.step() == plan.batches().steps();
    }

    private Trigger.Progress progress(long steps, double loss) {
        return new Trigger.Progress(steps, plan.batches().epochAfter(steps), loss);
    }

    private static void requireFinite(Position position, ClippedUpdate step, LossTotal loss) {
        long version = position.version();
        if (loss.terms() == 0) {
            throw new IllegalStateException(
                    "Cannot take step %d: its batch has no trained token".formatted(version + 1));
        }

        if (!step.isFinite() && !position.leavesOutBrokenGradients()) {
            throw new BrokenLossException(
                    "Cannot take step %d: expected a finite gradient, found norm %s at a loss of %s"
                            .formatted(version + 1, step.norm(), loss.mean()));
        }
    }
}
