package org.sparkqlora.ml;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.spark.SparkContext;
import org.apache.spark.ml.Model;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.ml.util.Identifiable$;
import org.apache.spark.ml.util.MLReader;
import org.apache.spark.ml.util.MLWritable;
import org.apache.spark.ml.util.MLWriter;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.StructType;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.model.Method;
import org.sparkqlora.options.Settings;
import org.sparkqlora.options.UseOptions;
import org.sparkqlora.run.AdapterStart;
import org.sparkqlora.run.ModelColumns;
import org.sparkqlora.run.Trained;
import org.sparkqlora.spark.cluster.Location;

/**
 * A fine-tuned model: a base, which stays where it is, and an adapter in PEFT layout. It answers what rows ask, and takes its loss over
 * those that are training records. Both are columns that are computed when something reads them, in a batch or in a stream; each process
 * loads the base once.
 */
public final class QLoraModel extends Model<QLoraModel> implements MLWritable {
    private static final long serialVersionUID = 1L;

    /** Options that mean nothing for a table. */
    static final Set<String> NOT_SETTINGS = Set.of("data", "noPacking", "objective", "labels", "problemType");

    private static final String MODEL = "model";
    private static final String METHOD = "method";

    private final String uid;
    private final StageParams params;
    private final @Nullable String adapter;
    private transient @Nullable QLoraTrainingSummary summary;
    private transient @Nullable String told;
    private final OpenedModel opened;

    /** A model without a base: a server of Spark Connect finds the class by it. */
    public QLoraModel() {
        this(Identifiable$.MODULE$.randomUID("qlora"), null);
    }

    /** @param adapter its folder; null where the model is whole without one */
    QLoraModel(String uid, @Nullable String adapter) {
        this(uid, adapter, new OpenedModel());
    }

    private QLoraModel(String uid, @Nullable String adapter, OpenedModel opened) {
        this.uid = uid; // first: each Param records its owner's uid when it is made
        this.adapter = adapter;
        this.opened = opened;
        this.params = StageColumns.add(new StageParams(this).with(Settings.USE, NOT_SETTINGS));
    }

    /** One that a server of Spark Connect had put aside; it says what it said before. */
    static QLoraModel of(ModelReference reference) {
        QLoraModel model = new QLoraModel(reference.uid(), reference.adapter());
        model.told = reference.told();
        return model;
    }

    public static QLoraModel load(String path) {
        return read().load(path);
    }

    public static MLReader<QLoraModel> read() {
        return new ModelFolder.WholeReader();
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

        model.summary = new QLoraTrainingSummary(trained);
        return model.setParent(estimator);
    }

    /** The adapter's folder in PEFT layout; nothing where all weights trained, and {@link #base()} is the result. */
    public Optional<String> adapter() {
        return Optional.ofNullable(adapter);
    }

    /** The address of the base model. */
    public String base() {
        return params.text(MODEL).orElseThrow();
    }

    public boolean hasSummary() {
        return summary != null;
    }

    /** The summary of the fit that made this model. */
    public QLoraTrainingSummary summary() {
        if (summary == null) {
            throw new IllegalStateException(
                    "Cannot tell of the training of %s: it was not trained here".formatted(uid));
        }

        return summary;
    }

    /** Adds the columns of answers and losses, or that of scores; none is computed yet. */
    @Override
    public Dataset<Row> transform(Dataset<?> dataset) {
        StructType schema = dataset.schema();
        transformSchema(schema);
        StageColumns columns = columns();
        ModelColumns model = opened(dataset.sparkSession().sparkContext());
        if (model.scoresTexts()) {
            Column scores = model.score().apply(columns.fields(schema).jsonOfRecords());
            return params.text(StageColumns.OUTPUT_COL)
                    .map(name -> dataset.toDF().withColumn(name, scores))
                    .orElseGet(dataset::toDF);
        }

        List<Column> selected = new ArrayList<>(List.of(new Column("*")));
        columns.prompts(schema)
                .ifPresent(prompt -> selected.add(model.answer(prompt.asked())
                        .apply(prompt.column())
                        .as(params.text(StageColumns.OUTPUT_COL).orElseThrow())));
        columns.loss(schema)
                .ifPresent(name -> selected.add(model.loss()
                        .apply(columns.fields(schema).jsonOfRecords())
                        .as(name)));
        return dataset.toDF().select(selected.toArray(Column[]::new));
    }

    @Override
    public StructType transformSchema(StructType schema) {
        try {
            options();
            return scoresTexts() ? columns().scored(schema) : columns().transformed(schema);
        } catch (IllegalArgumentException e) {
            throw params.refused("transform", e);
        }
    }

    @Override
    public QLoraModel copy(ParamMap extra) {
        QLoraModel copy = new QLoraModel(uid, adapter, opened);
        copyValues(copy, extra);
        copy.summary = summary;
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

    /** In JSON: this text is all that a server of Spark Connect lets a client ask of a model that is not Spark's own. */
    @Override
    public String toString() {
        return told == null ? ModelJson.write(this, adapter, summary) : told;
    }

    /** The number of times that processes loaded the base for this model, as far as tasks have reported. */
    long loads() {
        return opened.loads();
    }

    private boolean scoresTexts() {
        return adapter != null
                && AdapterStart.config(Location.parse(adapter)).lora().saved().scores();
    }

    private StageColumns columns() {
        return new StageColumns(params);
    }

    /** The functions of columns under these settings, which the copies of a model share. */
    ModelColumns opened(SparkContext context) {
        return opened.columns(context, Settings.USE.text(settings()), options());
    }

    private UseOptions options() {
        return UseOptions.of(settings(), adapter().map(Location::parse).orElse(null));
    }

    private Map<String, Object> settings() {
        return params.values(Settings.USE, Set.of());
    }
}
