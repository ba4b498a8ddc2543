package org.sparkqlora.ml;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.spark.SparkContext;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.ml.Model;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.ParamMap;
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
    static final Set<String> NOT_SETTINGS = Set.of("data", "noPacking");

    private static final String MODEL = "model";
    private static final String METHOD = "method";

    private final String uid;
    private final StageParams params;
    private final @Nullable String adapter;
    private transient @Nullable QLoraTrainingSummary summary;
    private transient @Nullable Opened opened;

    /** The functions of columns under these settings. */
    private record Opened(SparkContext context, String settings, ModelColumns columns) {}

    /** @param adapter its folder; null where the model is whole without one */
    QLoraModel(String uid, @Nullable String adapter) {
        this.uid = uid; // first: each Param records its owner's uid when it is made
        this.adapter = adapter;
        this.params = StageColumns.add(new StageParams(this).with(Settings.USE, NOT_SETTINGS));
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

    /** Adds the columns of answers and losses, neither of which is computed yet. */
    @Override
    public Dataset<Row> transform(Dataset<?> dataset) {
        StructType schema = dataset.schema();
        transformSchema(schema);
        StageColumns columns = columns();
        ModelColumns model = opened(dataset.sparkSession().sparkContext());
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
            return columns().transformed(schema);
        } catch (IllegalArgumentException e) {
            throw params.refused("transform", e);
        }
    }

    @Override
    public QLoraModel copy(ParamMap extra) {
        QLoraModel copy = new QLoraModel(uid, adapter);
        copyValues(copy, extra);
        copy.summary = summary;
        copy.opened = opened;
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

    @Override
    public String toString() {
        return "QLoraModel: uid=" + uid + ", base=" + base()
                + adapter().map(folder -> ", adapter=" + folder).orElse("");
    }

    /** The number of times that processes loaded the base for this model, as far as tasks have reported. */
    long loads() {
        return opened == null ? 0 : opened.columns().loads();
    }

    private StageColumns columns() {
        return new StageColumns(params);
    }

    private synchronized ModelColumns opened(SparkContext context) {
        String settings = Settings.USE.text(settings());
        Opened known = opened;
        if (known == null
                || !known.context().equals(context)
                || !known.settings().equals(settings)) {
            known = new Opened(
                    context, settings, ModelColumns.open(options(), JavaSparkContext.fromSparkContext(context)));
            opened = known;
        }

        return known.columns();
    }

    private UseOptions options() {
        return UseOptions.of(settings(), adapter().map(Location::parse).orElse(null));
    }

    private Map<String, Object> settings() {
        return params.values(Settings.USE, Set.of());
    }
}
