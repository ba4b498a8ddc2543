package org.sparkqlora.run.monitor;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.JavaSparkContext;
import org.sparkqlora.objective.ObjectiveKind;
import org.sparkqlora.options.Console;
import org.sparkqlora.options.Required;
import org.sparkqlora.options.RunOptions;
import org.sparkqlora.options.TrainOptions;
import org.sparkqlora.run.mlflow.MlflowArtifacts;
import org.sparkqlora.run.mlflow.ModelRegistration;
import org.sparkqlora.run.output.PublishedModel;
import org.sparkqlora.run.output.RunFiles;
import org.sparkqlora.run.prepare.Preparation;
import org.sparkqlora.spark.cluster.FaultLog;
import org.sparkqlora.spark.cluster.Location;
import org.sparkqlora.spark.job.TrainingRun;
import org.sparkqlora.spark.mlflow.MlflowExperiment;
import org.sparkqlora.spark.mlflow.MlflowFacts;
import org.sparkqlora.spark.mlflow.MlflowFile;
import org.sparkqlora.spark.mlflow.MlflowInput;
import org.sparkqlora.spark.mlflow.MlflowRun;
import org.sparkqlora.spark.mlflow.UnityCatalog;
import org.sparkqlora.spark.ui.RunPages;
import org.sparkqlora.spark.watch.EventFiles;
import org.sparkqlora.spark.watch.RunEvent;
import org.sparkqlora.spark.watch.RunFacts;
import org.sparkqlora.spark.watch.RunRecord;
import org.sparkqlora.spark.watch.RunSource;
import org.sparkqlora.spark.watch.RunWatch;
import org.sparkqlora.train.TrainPlanJson;
import org.sparkqlora.train.metrics.LogLines;
import org.sparkqlora.train.metrics.ProgressReporter;
import org.sparkqlora.train.metrics.TrainSummary;

/** All that follows a training run: terminal, Spark's pages and metrics, TensorBoard, and the report at the end. Driver only. */
public final class RunMonitor implements AutoCloseable {
    private final Console console;
    private final TrainingRun run;
    private final Location output;
    private final RunRecord record = new RunRecord();
    private final RunSource source;
    private final Optional<MlflowRun> mlflow;
    private final Optional<ModelRegistration> registration;
    private final Configuration hadoop;
    private final RunWatch watch;
    private final EventFiles files;
    private final TrainProgress terminal;
    private final FaultLog faults;
    private final ProgressReporter reporter;

    /**
     * The facts that a monitor gets of a run before it begins.
     *
     * @param preparation of its data
     * @param mlflow experiment that the run is logged to
     * @param registration of the result there
     * @param vocabulary tokens of the model
     * @param executorBytes estimated memory of an executor
     */
    public record Setup(
            JavaSparkContext context,
            Preparation preparation,
            Optional<MlflowExperiment> mlflow,
            Optional<ModelRegistration> registration,
            int vocabulary,
            long executorBytes) {}

    /** @param isNew whether an earlier run in the folder is replaced, so that its MLflow run does not go on */
    public RunMonitor(Setup setup, TrainingRun run, boolean isNew, TrainOptions asked, Console console) {
        RunOptions options = asked.run;
        this.console = console;
        this.run = run;
        this.output = options.output();
        this.files = options.eventFiles();
        this.terminal = new TrainProgress(console, System::nanoTime, record);
        Consumer<RunEvent> pages = RunPages.of(setup.context());
        this.mlflow = setup.mlflow().map(experiment -> mlflow(experiment, options.name(), isNew, inputs(setup, asked)));

        this.registration = setup.registration();
        this.hadoop = setup.context().hadoopConfiguration();
        this.source = RunSource.register(); // here, what may fail is done
        List<Consumer<RunEvent>> sinks = new ArrayList<>(List.of(pages, source, record));
        mlflow.ifPresent(sinks::add);
        this.watch = watch(sinks, new RunFacts(options.name(), parameters(), setup.executorBytes()));
        this.faults = FaultLog.listen(setup.context(), this::tell);
        this.reporter = watch.and(terminal).and(files).and(deadModel(setup));
    }

    /** Only of trained tokens does a loss say what chance is. */
    private ProgressReporter deadModel(Setup setup) {
        return run.plan().objective().kind() == ObjectiveKind.SFT
                ? new DeadModel(setup.vocabulary(), terminal::note)
                : ProgressReporter.silent();
    }

    public ProgressReporter reporter() {
        return reporter;
    }

    public FaultLog faults() {
        return faults;
    }

    /** The run is whole and its result is there. */
    public void ended(TrainSummary summary, PublishedModel result) {
        watch.ended();
        terminal.ended();
        Location report = new ReportFile(output)
                .write(
                        run.plan(),
                        record.view().orElseThrow(),
                        summary,
                        run.rows().manifest().counts(),
                        result);
        console.note("wrote %s and %s", result.folder(), report);
        mlflow.ifPresent(kept -> endMlflow(kept, result.folder(), report));
    }

    private void endMlflow(MlflowRun kept, Location published, Location report) {
        List<MlflowFile> artifacts = new ArrayList<>(
                MlflowArtifacts.ofFolder(published, published.path().getName()));
        artifacts.add(MlflowArtifacts.ofFile(report, report.path().getName()));
        List<MlflowFile> ofModel =
                registration.map(model -> model.files(published)).orElse(List.of());
        artifacts.addAll(ofModel);
        kept.ended(artifacts);
        registration.ifPresent(model -> register(kept, model, ofModel));
    }

    private void register(MlflowRun kept, ModelRegistration model, List<MlflowFile> ofModel) {
        model.catalog()
                .ifPresentOrElse(
                        address -> kept.register(model.name(), new UnityCatalog(address, hadoop), ofModel),
                        () -> kept.register(model.name()));
    }

    /** Runs {@code training}; a failure is reported before it is thrown on. */
    public TrainSummary watch(Supplier<TrainSummary> training) {
        try {
            return training.get();
        } catch (Exception | Error e) { // Spark throws a lost job as a checked exception that no signature declares
            failedAfter(e);
            throw e;
        }
    }

    private void failedAfter(Throwable first) {
        try {
            failed(first);
        } catch (RuntimeException second) {
            first.addSuppressed(second);
        }
    }

    private void failed(Throwable failure) {
        watch.failed(failure);
        terminal.ended();
        mlflow.ifPresent(MlflowRun::failed);
    }

    @Override
    public void close() {
        mlflow.ifPresent(MlflowRun::close);
        faults.close();
        source.close();
        files.close();
    }

    private void tell(String fault) {
        terminal.note(fault);
        watch.fault(fault);
    }

    private Map<String, String> parameters() {
        Map<String, String> parameters = new LinkedHashMap<>(TrainPlanJson.values(run.plan()));
        parameters.values().removeIf(value -> value.isEmpty() || value.equals("null"));
        List<String> tables = run.rows().manifest().tables();
        if (!tables.isEmpty()) {
            parameters.put("data.tables", String.join(", ", tables));
        }

        return parameters;
    }

    private List<MlflowInput> inputs(Setup setup, TrainOptions options) {
        List<MlflowInput> inputs = new ArrayList<>();
        String rows = run.rows().manifest().fingerprint();
        setup.preparation()
                .lineage(options.data.sources)
                .forEach(data -> inputs.add(MlflowInput.of(data, "training", rows)));
        if (!options.evaluation.heldOut.isEmpty()) {
            String heldOut =
                    Required.value("held-out rows", run.heldOut()).manifest().fingerprint();
            setup.preparation()
                    .lineage(options.evaluation.heldOut)
                    .forEach(data -> inputs.add(MlflowInput.of(data, "evaluation", heldOut)));
        }

        return inputs;
    }

    private MlflowRun mlflow(MlflowExperiment experiment, String name, boolean isNew, List<MlflowInput> inputs) {
        Location file = output.resolve(RunFiles.MLFLOW_RUN);
        Map<String, String> tags = Map.of(
                "mlflow.source.name", "spark-qlora",
                "mlflow.user", System.getProperty("user.name"),
                "spark_qlora.output", output.toString());
        String begun = isNew
                ? null
                : file.text().map(String::strip).filter(id -> !id.isEmpty()).orElse(null);
        MlflowFacts facts = new MlflowFacts(name, begun, parameters(), tags, inputs, id -> file.replaceText(id + "\n"));
        return new MlflowRun(experiment, facts, terminal::note);
    }

    private RunWatch watch(List<Consumer<RunEvent>> sinks, RunFacts facts) {
        Location metrics = output.resolve(RunFiles.METRICS);
        return new RunWatch(
                facts,
                step -> LogLines.upTo(step, metrics.text().orElse("").lines().toList())
                        .kept(),
                event -> sinks.forEach(sink -> sink.accept(event)),
                System::currentTimeMillis);
    }
}
