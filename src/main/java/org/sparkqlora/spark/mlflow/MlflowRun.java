package org.sparkqlora.spark.mlflow;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.spark.watch.CheckpointWritten;
import org.sparkqlora.spark.watch.HeldOutMeasured;
import org.sparkqlora.spark.watch.MemorySeen;
import org.sparkqlora.spark.watch.RunEvent;
import org.sparkqlora.spark.watch.RunStarted;
import org.sparkqlora.spark.watch.StepTaken;

/**
 * A run's parameters, metrics and adapter in a tracking server. Training never waits for it and never ends by it: values are sent
 * in batches by a thread of their own, stay in a queue of bounded length while the server is away, and are sent when it is back.
 * A failure is reported once.
 */
public final class MlflowRun implements Consumer<RunEvent>, AutoCloseable {
    private static final long EVERY_MILLIS = 2000;
    private static final int BATCH = 900;
    private static final int MOST_PARAMETERS = 100;
    private static final int MOST_WAITING = 100_000;
    private static final String PROXY = "mlflow-artifacts:";

    private final MlflowExperiment experiment;
    private final MlflowFacts facts;
    private final Consumer<String> tell;
    private final Deque<MlflowServer.MlflowMetric> waiting = new ArrayDeque<>();
    private final ScheduledExecutorService sender =
            Executors.newSingleThreadScheduledExecutor(Workers.daemons("mlflow"));
    private final Future<?> sending;
    private volatile @Nullable Long endingNanos;
    private MlflowServer.@Nullable MlflowRunId run;
    private boolean isDescribed;
    private boolean inTrouble;
    private long lost;
    private long step;

    /**
     * Begins it, or goes on with the one that {@code facts} name.
     *
     * @param tell takes a line for people
     */
    public MlflowRun(MlflowExperiment experiment, MlflowFacts facts, Consumer<String> tell) {
        this.experiment = experiment;
        this.facts = facts;
        this.tell = tell;
        this.sending = sender.scheduleWithFixedDelay(this::send, 0, EVERY_MILLIS, TimeUnit.MILLISECONDS);
    }

    @Override
    public void accept(RunEvent event) {
        if (event instanceof StepTaken taken) {
            take(taken);
        } else if (event instanceof HeldOutMeasured measured) {
            add("eval_loss", measured.loss(), measured.timeMillis(), measured.step());
        } else if (event instanceof RunStarted start) {
            step = start.doneSteps();
        } else if (event instanceof MemorySeen seen) {
            add("memory/" + keyOf(seen.worker()), seen.peakBytes(), seen.timeMillis(), step);
        } else if (event instanceof CheckpointWritten written) {
            add("checkpoint_step", written.step(), written.timeMillis(), written.step());
        }
    }

    /** Sends queued metrics and the files, and ends the run as finished. */
    public void ended(List<MlflowFile> files) {
        finish("FINISHED", files);
    }

    /**
     * Makes the model among the files of an ended run a version of a registered one, which was asked for: unlike values of a run it is
     * not left out in silence.
     */
    public void register(RegisteredName model) {
        if (!begun(model).artifacts().startsWith(PROXY)) {
            throw withoutFiles(model);
        }

        register(model, (source, begun) -> experiment.server().registerVersion(model, source, begun));
    }

    /** Makes {@code files} a version of a model in {@code catalog}, which gets them itself. */
    public void register(RegisteredName model, UnityCatalog catalog, List<MlflowFile> files) {
        register(model, (source, begun) -> catalog.registerVersion(model, source, begun, files));
    }

    /** A call that gives the version. */
    private interface Call {
        String of(String source, String run) throws IOException;
    }

    private void register(RegisteredName model, Call call) {
        MlflowServer.MlflowRunId begun = begun(model);
        try {
            String version = call.of(begun.artifacts() + "/" + MlflowModel.FOLDER, begun.id());
            tell.accept("MLflow has version %s of the model %s".formatted(version, model));
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to register %s: %s".formatted(model, e.getMessage()), e);
        }
    }

    private MlflowServer.MlflowRunId begun(RegisteredName model) {
        MlflowServer.MlflowRunId begun = run;
        if (begun == null || inTrouble) {
            throw withoutFiles(model);
        }

        return begun;
    }

    private UncheckedIOException withoutFiles(RegisteredName model) {
        return new UncheckedIOException(new IOException(
                "Failed to register %s: MLflow at %s has no files of this run".formatted(model, experiment.address())));
    }

    /** Sends queued metrics, and ends the run as failed. */
    public void failed() {
        finish("FAILED", List.of());
    }

    @Override
    public void close() {
        sender.shutdownNow();
    }

    private void finish(String status, List<MlflowFile> files) {
        sending.cancel(false);
        endingNanos = System.nanoTime();
        send();
        MlflowServer.MlflowRunId begun = run;
        if (begun == null || inTrouble) {
            tell.accept(String.format(
                    Locale.ROOT,
                    "MLflow lacks %d values of this run, which metrics.jsonl has, and what it published",
                    lost + waiting()));
            return;
        }

        try {
            upload(begun, files);
            experiment.server().endRun(begun.id(), status, System.currentTimeMillis());
            tell.accept("MLflow has the run %s at %s".formatted(begun.id(), experiment.address()));
        } catch (IOException | RuntimeException e) {
            tell.accept("MLflow did not take the end of the run, which is whole: " + e.getMessage());
        }
    }

    private void upload(MlflowServer.MlflowRunId begun, List<MlflowFile> files) throws IOException {
        if (files.isEmpty()) {
            return;
        }

        if (!begun.artifacts().startsWith(PROXY)) {
            tell.accept(
                    "MLflow keeps artefacts at %s, where only its own clients write: the adapter was not uploaded. A server that was started with --artifacts-destination takes it."
                            .formatted(begun.artifacts()));
            return;
        }

        String folder = begun.artifacts().replaceFirst("^mlflow-artifacts:(//[^/]*)?/*", "");
        for (MlflowFile file : files) {
            experiment.server().upload(folder + "/" + file.path(), file, timeLeft());
        }
    }

    /** For the end of the run, which must not keep the driver. */
    private Duration timeLeft() throws IOException {
        Duration most = experiment.patience().ending();
        Long begun = endingNanos;
        if (begun == null) {
            return most;
        }

        Duration left = most.minusNanos(System.nanoTime() - begun);
        if (left.isNegative() || left.isZero()) {
            throw new HttpTimeoutException(
                    "MLflow took more than %d s for the end of the run".formatted(most.toSeconds()));
        }

        return left;
    }

    private synchronized void send() {
        try {
            MlflowServer.MlflowRunId begun = begun();
            for (List<MlflowServer.MlflowMetric> batch = batch(); !batch.isEmpty(); batch = batch()) {
                timeLeft();
                logMetrics(begun, batch);
            }

            if (inTrouble) {
                tell.accept("MLflow answers again");
                inTrouble = false;
            }
        } catch (IOException | RuntimeException e) { // whatever it is, training goes on
            trouble(e);
        }
    }

    /** A refused batch would be refused again. */
    private void logMetrics(MlflowServer.MlflowRunId begun, List<MlflowServer.MlflowMetric> batch) throws IOException {
        try {
            experiment.server().logMetrics(begun.id(), batch);
            take(batch.size());
        } catch (BadInputException e) {
            take(batch.size());
            lost += batch.size();
            throw e;
        }
    }

    private void trouble(Exception reason) {
        if (!inTrouble) {
            tell.accept("%s. Training goes on; its values are kept and sent when it answers"
                    .formatted(reason.getMessage()));
            inTrouble = true;
        }
    }

    private MlflowServer.MlflowRunId begun() throws IOException {
        MlflowServer.MlflowRunId begun = run == null ? begin() : run;
        run = begun;
        if (!isDescribed) {
            describe(begun);
            isDescribed = true;
        }

        return begun;
    }

    private void describe(MlflowServer.MlflowRunId begun) throws IOException {
        try {
            logParameters(begun);
            if (!facts.inputs().isEmpty()) {
                experiment.server().logInputs(begun.id(), facts.inputs());
            }
        } catch (BadInputException e) { // and would be refused again
            tell.accept("MLflow did not take what describes the run: " + e.getMessage());
        }

        facts.remember().accept(begun.id());
    }

    /** A run that is remembered is described; a server would refuse what has changed since, such as the number of steps. */
    private MlflowServer.MlflowRunId begin() throws IOException {
        String earlier = facts.earlierRun();
        if (earlier != null) {
            try {
                MlflowServer.MlflowRunId begun = experiment.server().continueRun(earlier);
                isDescribed = true;
                return begun;
            } catch (BadInputException e) {
                tell.accept("MLflow does not know the run that this one goes on with, a new one is begun: "
                        + e.getMessage());
            }
        }

        return experiment.server().createRun(experiment.id(), facts.name(), System.currentTimeMillis(), facts.tags());
    }

    private void logParameters(MlflowServer.MlflowRunId begun) throws IOException {
        Map<String, String> part = new LinkedHashMap<>();
        for (Map.Entry<String, String> parameter : facts.parameters().entrySet()) {
            part.put(parameter.getKey(), parameter.getValue());
            if (part.size() == MOST_PARAMETERS) {
                experiment.server().logParameters(begun.id(), part);
                part.clear();
            }
        }

        if (!part.isEmpty()) {
            experiment.server().logParameters(begun.id(), part);
        }
    }

    private void take(StepTaken taken) {
        step = taken.step();
        long now = taken.timeMillis();
        add("loss", taken.loss(), now, step);
        add("learning_rate", taken.learningRate(), now, step);
        add("tokens_per_second", taken.tokens() / Math.max(taken.seconds().total(), 1e-9), now, step);
        Double norm = taken.gradientNorm();
        if (norm != null) {
            add("grad_norm", norm, now, step);
        }

        taken.measures().forEach((name, value) -> add(name, value, now, step));
    }

    private void add(String key, double value, long timeMillis, long at) {
        synchronized (waiting) {
            waiting.addLast(new MlflowServer.MlflowMetric(key, value, timeMillis, at));
            if (waiting.size() > MOST_WAITING) {
                waiting.removeFirst();
                lost++;
            }
        }
    }

    private int waiting() {
        synchronized (waiting) {
            return waiting.size();
        }
    }

    private List<MlflowServer.MlflowMetric> batch() {
        synchronized (waiting) {
            return waiting.stream().limit(BATCH).toList();
        }
    }

    private void take(int count) {
        synchronized (waiting) {
            for (int i = 0; i < count && !waiting.isEmpty(); i++) {
                waiting.removeFirst();
            }
        }
    }

    /** A key may hold letters, digits and a few signs. */
    private static String keyOf(String worker) {
        return worker.replaceAll("[^A-Za-z0-9_. -]", "_");
    }
}
