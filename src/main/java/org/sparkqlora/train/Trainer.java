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
        Optional<StepMetrics> unevaluated = stored.flatMap(Stored::unevaluated)
                .filter(step -> triggers.evaluate().isPresent());
        if (writer.kept() >= plan.batches().steps()
                && claim(writer.kept(), unevaluated).isEmpty()) {
            return publishLast(stored.orElseThrow(), publish);
        }

        try (GradientSource source =
                        sources.apply(stored.<StateOrigin>map(from -> from).orElse(fresh));
                CheckpointWriter ofAttempt = writer) {
            TrainSummary summary = train(source, claim(source.position().version(), unevaluated));
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

    /**
     * The first change of the output: of two drivers, only the one that has claimed it goes on.
     *
     * @return {@code unevaluated}, unless an earlier process has evaluated it after all
     */
    private Optional<StepMetrics> claim(long version, Optional<StepMetrics> unevaluated) {
        checkpoints.claim();
        metrics.rewindTo(version);
        Optional<StepMetrics> left = unevaluated.filter(step -> metrics.last() < version);
        rewindOutputs(left.isPresent() || version == 0 ? version - 1 : version);
        return left;
    }

    /** What is left of a run that has taken all its steps. Its optimiser's state is not read. */
    private TrainSummary publishLast(Stored last, Consumer<FlatVector> publish) {
        started(last.version());
        publish(bestAndSamples.parameters().orElseGet(last::parameters), publish);
        OptionalDouble evaluation = metrics.evaluations().stream()
                .filter(earlier -> earlier.step() == last.version())
                .mapToDouble(Evaluated::loss)
                .findFirst();
        return TrainSummary.start(plan.batches().steps(), last.version())
                .evaluated(evaluation)
                .ended(last.version(), earlyStopping.best());
    }

    /** @param unevaluated the step to the source's State, where its evaluation is still to be made */
    private TrainSummary train(GradientSource source, Optional<StepMetrics> unevaluated) {
        TrainSummary summary =
                TrainSummary.start(plan.batches().steps(), source.position().version());
        begin(source);
        if (unevaluated.isPresent()) {
            summary = summary.evaluated(evaluate(source, unevaluated.get()));
        }

        while (source.position().version() < plan.batches().steps() && !earlyStopping.isExhausted()) {
            StepMetrics step = advanceUnlessCancelled(source);
            summary = summary.plus(step, taken(source, step));
        }

        return summary.ended(source.position().version(), earlyStopping.best());
    }

    /** Drops what an earlier process recorded after {@code version}, -1 for all, and reads back its evaluations up to there. */
    private void rewindOutputs(long version) {
        metrics.rewindTo(version);
        bestAndSamples.rewindTo(version);
        earlyStopping = EarlyStopping.after(metrics.evaluations(), triggers.patience());
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
        Optional<FlatVector> best = bestAndSamples.parameters();
        if (best.isPresent()) {
            publish(best.get(), publish);
        } else {
            checkpoints.requireOwned();
            publish.accept(last.parameters());
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
            keep(source, Optional.empty());
            throw e;
        }
    }

    /** Waits for a checkpoint of the State of now. */
    private void keep(GradientSource source, Optional<StepMetrics> unevaluated) {
        writer.finish(source::saved);
        if (source.position().version() > writer.kept()) {
            save(source, () -> source.saved(checkpoints::draft), unevaluated);
            writer.finish(source::saved);
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

    /**
     * Evaluates, tells and keeps the State that a step has led to, as far as each is due. An evaluation may take longer than many steps, so the
     * State is kept before it.
     */
    private OptionalDouble taken(GradientSource source, StepMetrics step) {
        boolean isKept = isDue(triggers.checkpoint(), step);
        if (triggers.evaluate().filter(trigger -> isDue(trigger, step)).isEmpty()) {
            report(step, OptionalDouble.empty());
            writer.poll(source::saved);
            if (isKept) {
                saveBesideTraining(source, step);
            }

            return OptionalDouble.empty();
        }

        if (isKept) {
            save(source, () -> source.saved(checkpoints::draft), Optional.of(step));
        }

        OptionalDouble loss = evaluate(source, step);
        writer.poll(source::saved);
        if (!isKept && earlyStopping.isExhausted()) {
            save(source, () -> source.saved(checkpoints::draft), Optional.empty());
        }

        return loss;
    }

    private OptionalDouble evaluate(GradientSource source, StepMetrics step) {
        Optional<LossTotal> evaluated = heldOutLoss(source, step);
        OptionalDouble loss = evaluated.stream().mapToDouble(LossTotal::mean).findFirst();
        report(step.with(evaluationMeasures(evaluated)), loss);
        metrics.flush();
        return loss;
    }

    /** Where it is cancelled, the State is kept, and a later run evaluates it first. */
    private Optional<LossTotal> heldOutLoss(GradientSource source, StepMetrics step) {
        try {
            bestAndSamples.samples().take(step.step(), source);
            LossTotal loss = source.evaluate();
            if (loss.terms() == 0) {
                return Optional.empty();
            }

            reporter.evaluated(step.step(), loss.mean());
            if (earlyStopping.add(new Evaluated(step.step(), loss.mean()))) {
                bestAndSamples.save(source);
            }

            return Optional.of(loss);
        } catch (CancellationException e) {
            keep(source, Optional.of(step));
            throw e;
        }
    }

    private void report(List<ShardResult.Gradient> shards) {
        reporter.computed(shards.stream().map(ShardResult.Gradient::report).toList());
        stragglers.observe(shards).forEach(reporter::straggling);
    }

    private void report(StepMetrics step, OptionalDouble evaluation) {
        metrics.append(step, evaluation);
        reporter.stepDone(step);
    }

    private void saveBesideTraining(GradientSource source, StepMetrics taken) {
        boolean isLast = taken.step() == plan.batches().steps();
        save(
                source,
                () -> isLast ? source.saved(checkpoints::draft) : source.savedByNextStep(checkpoints::draft),
                Optional.empty());
    }

    private void save(GradientSource source, Supplier<SavedState> state, Optional<StepMetrics> unevaluated) {
        metrics.flush();
        writer.save(source::saved, state, unevaluated);
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
