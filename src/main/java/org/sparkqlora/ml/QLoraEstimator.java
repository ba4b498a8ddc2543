package org.sparkqlora.ml;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CancellationException;
import org.apache.spark.ml.Estimator;
import org.apache.spark.ml.param.DoubleParam;
import org.apache.spark.ml.param.IntParam;
import org.apache.spark.ml.param.LongParam;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.ml.util.DefaultParamsWritable;
import org.apache.spark.ml.util.Identifiable$;
import org.apache.spark.ml.util.MLReader;
import org.apache.spark.ml.util.MLWriter;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.StructType;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sparkqlora.data.RecordFormat;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.objective.ObjectiveKind;
import org.sparkqlora.options.LogStream;
import org.sparkqlora.options.Settings;
import org.sparkqlora.options.TrainOptions;
import org.sparkqlora.options.UpdateOptions;
import org.sparkqlora.run.train.Trained;
import org.sparkqlora.run.train.TrainingJob;
import org.sparkqlora.spark.cluster.CancelledJob;
import org.sparkqlora.spark.cluster.Location;
import org.sparkqlora.spark.source.UnusableRecordException;
import org.sparkqlora.storage.Sha256;
import org.sparkqlora.train.metrics.TrainSummary;

/**
 * Fine-tunes a language model on the rows of a table. Its params are the options of the command {@code train}, but for the data, and
 * those by which its model answers; {@link #explainParams()} lists them. Equal settings on equal rows give the adapter that the command
 * gives, byte for byte.
 *
 * <p>Each fit trains in a folder of its own below {@code output}, named by settings and rows: the trials of a sweep do not meet, share
 * prepared rows and the quantised base, and a fit that is done again goes on from its newest checkpoint. A fit whose Spark jobs are
 * cancelled ends with a {@link java.util.concurrent.CancellationException} and can be done again, too.
 */
public final class QLoraEstimator extends Estimator<QLoraModel> implements DefaultParamsWritable {
    private static final long serialVersionUID = 1L;

    private static final Logger LOG = LoggerFactory.getLogger(QLoraEstimator.class);

    private static final String OUTPUT = "output";
    private static final String FORMAT = "format";
    private static final String PREPARED = "prepared";

    /** Options that a table stands for, or that train nothing. */
    private static final Set<String> NOT_SETTINGS = Set.of("data", "dryRun", "overwrite");

    /** Settings that change where a run is and how it is watched, and not what it trains. */
    private static final Set<String> OUTSIDE =
            Set.of(OUTPUT, PREPARED, "resume", "modelCache", "tensorboard", "mlflow", "mlflowExperiment", "runName");

    private final String uid;
    private final StageParams params;

    public QLoraEstimator() {
        this(Identifiable$.MODULE$.randomUID("qlora"));
    }

    /** MLlib makes stages by their uid. */
    public QLoraEstimator(String uid) {
        this.uid = uid; // first: each Param records its owner's uid when it is made
        this.params = StageColumns.add(
                new StageParams(this).with(Settings.TRAIN, NOT_SETTINGS).with(Settings.USE, QLoraModel.NOT_SETTINGS));
    }

    public static QLoraEstimator load(String path) {
        return read().load(path);
    }

    public static MLReader<QLoraEstimator> read() {
        return new StageFolder.Reader<>(QLoraEstimator.class);
    }

    @Override
    public MLWriter write() {
        return new StageFolder.Writer(this);
    }

    @Override
    public String uid() {
        return uid;
    }

    @Override
    public Param<?>[] params() {
        return params.all();
    }

    /**
     * Trains on the rows of {@code dataset}.
     *
     * @throws IllegalArgumentException before any work, that names all that is wrong with params and columns
     */
    @Override
    public QLoraModel fit(Dataset<?> dataset) {
        transformSchema(dataset.schema());
        if (dataset.isStreaming()) {
            throw new BadInputException("Cannot fit: expected a table that ends, found a stream");
        }

        RecordFields fields = columns().fields(dataset.schema());
        QLoraModel model = QLoraModel.of(this, trained(dataset, fields));
        return fields.found()
                .filter(found -> formatIsOpen())
                .map(found -> model.option(FORMAT, found.optionName()))
                .orElse(model);
    }

    private Trained trained(Dataset<?> dataset, RecordFields fields) {
        try {
            Location output = Location.parse(params.text(OUTPUT).orElseThrow());
            TableRows rows =
                    TableRows.write(dataset, fields.json(), output.resolve("data"), lines -> surveyed(lines, fields));
            return trained(output, rows);
        } catch (Exception e) {
            // Spark throws a lost job as a checked exception that no signature declares.
            Optional<CancellationException> cancelled =
                    e instanceof CancellationException ? Optional.empty() : CancelledJob.find(e);
            if (cancelled.isPresent()) {
                throw cancelled.get();
            }

            throw e;
        }
    }

    private Trained trained(Location output, TableRows rows) {
        try {
            return trained(options(output, rows));
        } catch (UnusableRecordException e) {
            if (!rows.contain(e.path())) {
                throw e;
            }

            throw new BadInputException(
                    "Cannot fit: expected training records, found a row that is none: %s. Drop such rows, or set onBadRecord to skip"
                            .formatted(RowSurvey.described(rows.row(e.path(), e.line()), e.problem())),
                    e);
        }
    }

    private static Trained trained(TrainOptions options) {
        Trained trained = new TrainingJob(options, LogStream.console(LOG)).run();
        TrainSummary summary = trained.summary();
        if (summary.resumedFrom() == summary.steps()) {
            LOG.warn(
                    "nothing was trained: {} has the result of an earlier fit with the same settings on the same rows. Set resume to never, or another output, to train again",
                    trained.folder());
        } else if (summary.resumedFrom() > 0) {
            LOG.warn("went on in {} after step {} of an earlier fit", trained.folder(), summary.resumedFrom());
        }

        return trained;
    }

    private RowSurvey surveyed(Dataset<Row> lines, RecordFields fields) {
        RowSurvey survey = RowSurvey.of(lines, fields.needed(), columns().reading());
        if (!params.text("onBadRecord").equals(Optional.of("skip"))) {
            survey.requireRecords();
        }

        return survey;
    }

    @Override
    public StructType transformSchema(StructType schema) {
        return params.columns("fit", () -> {
            options();
            columns().requireRecords(schema);
            return columns().transformed(schema);
        });
    }

    @Override
    public QLoraEstimator copy(ParamMap extra) {
        return defaultCopy(extra);
    }

    /** Sets the param called {@code name}; numbers and texts become what it holds. */
    public QLoraEstimator option(String name, Object value) {
        params.set(name, value);
        return this;
    }

    private StageColumns columns() {
        return new StageColumns(params);
    }

    private boolean formatIsOpen() {
        return params.text(FORMAT).orElseThrow().equals(RecordFormat.AUTO.optionName());
    }

    private TrainOptions options() {
        return TrainOptions.of(params.values(Settings.TRAIN, Set.of()));
    }

    private TrainOptions options(Location output, TableRows rows) {
        TrainOptions options = options();
        options.data.sources = List.of(rows.folder().path().toString());
        options.run.output = output.resolve(runName(rows.hash()));
        if (options.run.prepared == null) {
            options.run.prepared = output.resolve(PREPARED);
        }

        return options;
    }

    /** The name of a fit's folder; fits of earlier versions have it, too. */
    String runName(String rowsHash) {
        String settings = Settings.TRAIN.text(params.values(Settings.TRAIN, OUTSIDE));
        return "run-" + Sha256.shortHex(settings + "\n" + rowsHash);
    }

    public Param<String> model() {
        return text("model");
    }

    /** The base model: a folder in Hugging Face layout, a .gguf file, or a hub id. */
    public QLoraEstimator setModel(String value) {
        return option("model", value);
    }

    public String getModel() {
        return getOrDefault(model());
    }

    public Param<String> output() {
        return text(OUTPUT);
    }

    /** The folder of runs: each distinct fit has one of its own in it. */
    public QLoraEstimator setOutput(String value) {
        return option(OUTPUT, value);
    }

    public String getOutput() {
        return getOrDefault(output());
    }

    public Param<String> method() {
        return text("method");
    }

    /** {@code qlora}, {@code lora} or {@code full}. */
    public QLoraEstimator setMethod(String value) {
        return option("method", value);
    }

    public String getMethod() {
        return getOrDefault(method());
    }

    public IntParam rank() {
        return params.find("rank", IntParam.class);
    }

    public QLoraEstimator setRank(int value) {
        return option("rank", value);
    }

    public int getRank() {
        return (int) getOrDefault(rank());
    }

    public DoubleParam alpha() {
        return params.find("alpha", DoubleParam.class);
    }

    public QLoraEstimator setAlpha(double value) {
        return option("alpha", value);
    }

    public DoubleParam dropout() {
        return params.find("dropout", DoubleParam.class);
    }

    public QLoraEstimator setDropout(double value) {
        return option("dropout", value);
    }

    public Param<String> targetModules() {
        return text("targetModules");
    }

    public QLoraEstimator setTargetModules(String value) {
        return option("targetModules", value);
    }

    public DoubleParam learningRate() {
        return params.find("learningRate", DoubleParam.class);
    }

    public QLoraEstimator setLearningRate(double value) {
        return option("learningRate", value);
    }

    public double getLearningRate() {
        return isDefined(learningRate())
                ? (double) getOrDefault(learningRate())
                : UpdateOptions.learningRateOf(ObjectiveKind.parse(getOrDefault(text("objective"))));
    }

    public IntParam maxSteps() {
        return params.find("maxSteps", IntParam.class);
    }

    public QLoraEstimator setMaxSteps(int value) {
        return option("maxSteps", value);
    }

    public DoubleParam epochs() {
        return params.find("epochs", DoubleParam.class);
    }

    public QLoraEstimator setEpochs(double value) {
        return option("epochs", value);
    }

    public IntParam batchSize() {
        return params.find("batchSize", IntParam.class);
    }

    public QLoraEstimator setBatchSize(int value) {
        return option("batchSize", value);
    }

    public IntParam sequenceLength() {
        return params.find("sequenceLength", IntParam.class);
    }

    public QLoraEstimator setSequenceLength(int value) {
        return option("sequenceLength", value);
    }

    public LongParam seed() {
        return params.find("seed", LongParam.class);
    }

    public QLoraEstimator setSeed(long value) {
        return option("seed", value);
    }

    public IntParam maxNewTokens() {
        return params.find("maxNewTokens", IntParam.class);
    }

    public QLoraEstimator setMaxNewTokens(int value) {
        return option("maxNewTokens", value);
    }

    public QLoraEstimator setInputCol(String value) {
        return option(StageColumns.INPUT_COL, value);
    }

    public QLoraEstimator setOutputCol(String value) {
        return option(StageColumns.OUTPUT_COL, value);
    }

    public QLoraEstimator setLossCol(String value) {
        return option(StageColumns.LOSS_COL, value);
    }

    @SuppressWarnings("unchecked")
    private Param<String> text(String name) {
        return (Param<String>) params.find(name);
    }
}
