package org.sparkqlora.ml;

import java.time.LocalDate;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.spark.SparkContext;
import org.apache.spark.ml.Model;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.ml.param.Params;
import org.apache.spark.ml.util.Identifiable$;
import org.apache.spark.ml.util.MLReader;
import org.apache.spark.ml.util.MLWritable;
import org.apache.spark.ml.util.MLWriter;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.StructType;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.model.layout.Method;
import org.sparkqlora.options.Settings;
import org.sparkqlora.run.model.AdapterStart;
import org.sparkqlora.run.train.Trained;
import org.sparkqlora.spark.cluster.Location;
import org.sparkqlora.spark.job.ScoreColumn;

/**
 * A fine-tuned model: a base, which stays where it is, and an adapter in PEFT layout. It answers what rows ask, and takes its loss over
 * those that are training records. Both are columns that are computed when something reads them, in a batch or in a stream; each process
 * loads the base once.
 */
public final class QLoraModel extends Model<QLoraModel> implements MLWritable, AdapterModel {
    private static final long serialVersionUID = 1L;

    /** Options that mean nothing for a table. */
    static final Set<String> NOT_SETTINGS = Set.of("data", "noPacking", "objective", "labels", "problemType");

    private static final String MODEL = "model";
    private static final String METHOD = "method";
    private final String uid;
    private final StageParams params;
    private final FittedAdapter fitted;

    /** A model without a base: a server of Spark Connect finds the class by it. */
    public QLoraModel() {
        this(Identifiable$.MODULE$.randomUID("qlora"), new FittedAdapter(null));
    }

    /** @param adapter its folder; null where the model is whole without one */
    QLoraModel(String uid, @Nullable String adapter) {
        this(uid, new FittedAdapter(adapter));
    }

    private QLoraModel(String uid, FittedAdapter fitted) {
        this.uid = uid; // first: each Param records its owner's uid when it is made
        this.fitted = fitted;
        this.params = AdapterColumn.add(StageColumns.add(new StageParams(this).with(Settings.USE, NOT_SETTINGS)));
    }

    public static QLoraModel load(String path) {
        return read().load(path);
    }

    public static MLReader<QLoraModel> read() {
        return new ModelFolder.Reader<>(QLoraModel.class, QLoraModel::new);
    }

    @Override
    public MLWriter write() {
        return new ModelFolder.Writer(this);
    }

    @Override
    public String uid() {
        return uid;
    }

    @Override
    public Params stage() {
        return this;
    }

    @Override
    public FittedAdapter fitted() {
        return fitted;
    }

    @Override
    public Param<?>[] params() {
        return params.all();
    }

    /** Of {@code estimator}, once it has {@code trained}. */
    static QLoraModel of(QLoraEstimator estimator, Trained trained) {
        boolean whole = estimator.getMethod().equals(Method.FULL.optionName());
        QLoraModel model = new QLoraModel(estimator.uid(), whole ? null : trained.result());
        estimator.copyValues(model, ParamMap.empty());
        if (whole) {
            model.option(MODEL, trained.result()).option(METHOD, Method.LORA.optionName());
        }

        model.fitted.setSummary(new QLoraTrainingSummary(trained));
        return model.setParent(estimator);
    }

    /** The adapter's folder in PEFT layout; nothing where all weights trained, and {@link #base()} is the result. */
    public Optional<String> adapter() {
        return fitted.folder();
    }

    /** The address of the base model. */
    public String base() {
        return params.text(MODEL).orElseThrow();
    }

    public boolean hasSummary() {
        return fitted.summary().isPresent();
    }

    /** The summary of the fit that made this model. */
    public QLoraTrainingSummary summary() {
        return fitted.summaryOf(this);
    }

    /** Adds the columns of answers and losses, or that of scores; none is computed yet. */
    @Override
    public Dataset<Row> transform(Dataset<?> dataset) {
        StructType schema = dataset.schema();
        transformSchema(schema);
        StageColumns columns = columns();
        ModelColumns model = opened(dataset.sparkSession().sparkContext());
        if (model.scoresTexts()) {
            Column records = columns.fields(schema).jsonOfRecords();
            return params.text(StageColumns.OUTPUT_COL)
                    .map(name -> model.scored(dataset.toDF(), records, name, ScoreColumn.LIST, true))
                    .orElseGet(dataset::toDF);
        }

        Column adapter = AdapterColumn.of(params, schema);
        Dataset<Row> answered = columns.prompts(schema)
                .map(prompt -> answered(
                        dataset.toDF(),
                        prompt.by(adapter),
                        model,
                        columns.loss(schema).isPresent()))
                .orElseGet(dataset::toDF);
        return columns.loss(schema)
                .map(name -> answered.withColumn(
                        name,
                        unlessRefused(
                                answered,
                                model.loss().apply(columns.fields(schema).jsonOfRecords(), adapter))))
                .orElse(answered);
    }

    /** A row whose column of errors says that its record cannot be used is not read again. */
    private Column unlessRefused(Dataset<Row> answered, Column loss) {
        return params.text(StageColumns.ERROR_COL)
                .filter(List.of(answered.columns())::contains)
                .map(error ->
                        functions.when(functions.col(RecordFields.quoted(error)).isNull(), loss))
                .orElse(loss);
    }

    /** Beside losses, each answer is a column of its own, so that who reads losses alone does not wait for answers. */
    private Dataset<Row> answered(Dataset<Row> rows, PromptColumn prompt, ModelColumns model, boolean besideLosses) {
        AnswerNames names = columns().answers();
        return besideLosses && names.error() == null && names.loss() == null
                ? rows.withColumn(names.answer(), model.answer(prompt.asked()).apply(prompt.column(), prompt.adapter()))
                : model.answered(rows, prompt, names, LocalDate.now());
    }

    @Override
    public StructType transformSchema(StructType schema) {
        return params.columns("transform", () -> {
            fitted.options(params);
            AdapterColumn.of(params, schema);
            return scoresTexts() ? columns().scored(schema) : columns().transformed(schema);
        });
    }

    @Override
    public QLoraModel copy(ParamMap extra) {
        QLoraModel copy = new QLoraModel(uid, fitted.copy());
        copyValues(copy, extra);
        return copy.setParent(parent());
    }

    /** Sets the param called {@code name}; numbers and texts become what it holds. */
    public QLoraModel option(String name, Object value) {
        params.set(name, value);
        return this;
    }

    public QLoraModel setInputCol(String value) {
        return option(StageColumns.INPUT_COL, value);
    }

    public QLoraModel setOutputCol(String value) {
        return option(StageColumns.OUTPUT_COL, value);
    }

    public QLoraModel setLossCol(String value) {
        return option(StageColumns.LOSS_COL, value);
    }

    public QLoraModel setErrorCol(String value) {
        return option(StageColumns.ERROR_COL, value);
    }

    public QLoraModel setAnswerLossCol(String value) {
        return option(StageColumns.ANSWER_LOSS_COL, value);
    }

    /** Further adapters over the same base, by the names that rows give in {@code adapterCol}. */
    public QLoraModel setAdapters(Map<String, String> folders) {
        return option(
                AdapterColumn.ADAPTERS,
                folders.entrySet().stream()
                        .map(adapter -> adapter.getKey() + "=" + adapter.getValue())
                        .toArray(String[]::new));
    }

    public QLoraModel setAdapterCol(String value) {
        return option(AdapterColumn.ADAPTER_COL, value);
    }

    public QLoraModel setMaxNewTokens(int value) {
        return option("maxNewTokens", value);
    }

    public QLoraModel setTemperature(double value) {
        return option("temperature", value);
    }

    /** The size of what is kept in memory, in bytes, for the cache of a Spark Connect server from 4.1 on: the weights are not. */
    public long estimatedSize() {
        return toString().length();
    }

    /** In JSON, for clients of Spark Connect. */
    @Override
    public String toString() {
        return fitted.describe(this);
    }

    /** The number of times that processes loaded the base for this model, as far as tasks have reported. */
    long loads() {
        return fitted.loads();
    }

    private boolean scoresTexts() {
        return adapter()
                .map(folder -> AdapterStart.config(Location.parse(folder)))
                .filter(config -> config.lora().saved().scores())
                .isPresent();
    }

    private StageColumns columns() {
        return new StageColumns(params);
    }

    /** The functions of columns under these settings, which the copies of a model share. */
    ModelColumns opened(SparkContext context) {
        return fitted.columns(params, context);
    }
}
