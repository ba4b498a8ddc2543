package org.sparkqlora.ml;

import static org.apache.spark.sql.functions.col;

import java.util.List;
import org.apache.spark.ml.classification.ProbabilisticClassificationModel;
import org.apache.spark.ml.linalg.DenseVector;
import org.apache.spark.ml.linalg.Vector;
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
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.data.Labels;
import org.sparkqlora.data.ProblemType;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.options.Settings;
import org.sparkqlora.spark.job.ScoreColumn;
import scala.Tuple3;

/**
 * A language model that classifies texts: raw predictions are the scores of its head, probabilities their softmax. The base stays where it
 * is; the adapter, in PEFT layout, has the head and the names of the classes.
 */
public final class LanguageModelClassificationModel
        extends ProbabilisticClassificationModel<String, LanguageModelClassificationModel>
        implements MLWritable, AdapterModel {
    private static final long serialVersionUID = 1L;

    private final EarlyUid uid;
    private final StageParams params;
    private final FittedAdapter fitted;
    private final Labels labels;

    /** A model without an adapter: a server of Spark Connect finds the class by it. */
    public LanguageModelClassificationModel() {
        this(
                Identifiable$.MODULE$.randomUID("languageModelClassificationModel"),
                null,
                new Labels(ProblemType.SINGLE_LABEL_CLASSIFICATION, List.of("0", "1")));
    }

    /** @param adapter its folder; null in a model that is none yet */
    LanguageModelClassificationModel(String uid, @Nullable String adapter, Labels labels) {
        this(EarlyUid.of(uid), new FittedAdapter(adapter), labels);
    }

    private LanguageModelClassificationModel(EarlyUid uid, FittedAdapter fitted, Labels labels) {
        this.uid = uid;
        this.params = new StageParams(this).with(Settings.USE, TextTraining.NOT_USED);
        this.fitted = fitted;
        this.labels = labels;
    }

    public static LanguageModelClassificationModel load(String path) {
        return read().load(path);
    }

    public static MLReader<LanguageModelClassificationModel> read() {
        return new ModelFolder.Reader<>(
                LanguageModelClassificationModel.class,
                (uid, adapter) -> new LanguageModelClassificationModel(uid, adapter, ModelFolder.labels(adapter)));
    }

    @Override
    public MLWriter write() {
        return new ModelFolder.Writer(this);
    }

    @Override
    public String uid() {
        return EarlyUid.of(uid);
    }

    @Override
    public Param<?>[] params() {
        return params.after(super.params());
    }

    @Override
    public Params stage() {
        return this;
    }

    @Override
    public FittedAdapter fitted() {
        return fitted;
    }

    /** Names of the classes, by their indices. */
    public List<String> labels() {
        return labels.names();
    }

    @Override
    public int numClasses() {
        return labels.outputs();
    }

    @Override
    public DataType featuresDataType() {
        return DataTypes.StringType;
    }

    /** @throws BadInputException where a column is missing or of another type */
    @Override
    public StructType transformSchema(StructType schema) {
        return params.columns("transform", () -> super.transformSchema(schema));
    }

    /** Adds raw predictions, probabilities and predictions, but for columns that have no name. Texts are scored once. */
    @Override
    public Dataset<Row> transform(Dataset<?> dataset) {
        transformSchema(dataset.schema());
        String raw = getRawPredictionCol().isEmpty() ? uid() + "_raw" : getRawPredictionCol();
        Dataset<Row> result = fitted.columns(params, dataset.sparkSession().sparkContext())
                .scored(dataset.toDF(), col(RecordFields.quoted(getFeaturesCol())), raw, ScoreColumn.VECTOR, false);
        Column probability = ClassFunctions.probability().apply(col(RecordFields.quoted(raw)));
        if (!getProbabilityCol().isEmpty()) {
            result = result.withColumn(getProbabilityCol(), probability);
        }

        if (!getPredictionCol().isEmpty()) {
            double[] limits = isDefined(thresholds()) ? getThresholds() : new double[0];
            result = result.withColumn(
                    getPredictionCol(), ClassFunctions.prediction(limits).apply(probability));
        }

        return getRawPredictionCol().isEmpty() ? result.drop(raw) : result;
    }

    @Override
    public Vector predictRaw(String text) {
        return new DenseVector(fitted.columns(params, SparkSession.active().sparkContext())
                .scores()
                .of(text));
    }

    @Override
    public Vector raw2probabilityInPlace(Vector raw) {
        ClassFunctions.softmax(((DenseVector) raw).values());
        return raw;
    }

    LanguageModelClassificationModel summarized(QLoraTrainingSummary of) {
        fitted.setSummary(of);
        return this;
    }

    public boolean hasSummary() {
        return fitted.summary().isPresent();
    }

    /** The summary of the fit that made this model. */
    public QLoraTrainingSummary summary() {
        return fitted.summaryOf(this);
    }

    /** As above: its types there fit Scala, and no class of Java without this method. */
    @Override
    @SuppressWarnings({"rawtypes", "unchecked"})
    public Tuple3 findSummaryModel() {
        return super.findSummaryModel();
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

    @Override
    public LanguageModelClassificationModel copy(ParamMap extra) {
        LanguageModelClassificationModel copy =
                new LanguageModelClassificationModel(EarlyUid.of(uid()), fitted.copy(), labels);
        copyValues(copy, extra);
        return copy.setParent(parent());
    }
}
