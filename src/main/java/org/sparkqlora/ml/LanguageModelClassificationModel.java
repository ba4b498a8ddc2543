package org.sparkqlora.ml;

import static org.apache.spark.sql.functions.col;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
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
import org.jspecify.annotations.Nullable;
import org.sparkqlora.data.Labels;
import org.sparkqlora.data.ProblemType;
import org.sparkqlora.options.Settings;
import org.sparkqlora.spark.job.TextScores;
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
    private final transient TextHead head;
    private final Labels labels;
    private transient @Nullable QLoraTrainingSummary summary;
    private transient @Nullable String told;

    /** A model without an adapter: a server of Spark Connect finds the class by it. */
    public LanguageModelClassificationModel() {
        this(
                Identifiable$.MODULE$.randomUID("languageModelClassificationModel"),
                "",
                new Labels(ProblemType.SINGLE_LABEL_CLASSIFICATION, List.of("0", "1")));
    }

    LanguageModelClassificationModel(String uid, String adapter, Labels labels) {
        this(EarlyUid.of(uid), adapter, labels, null);
    }

    private LanguageModelClassificationModel(EarlyUid uid, String adapter, Labels labels, @Nullable TextHead copied) {
        this.uid = uid;
        this.params = new StageParams(this).with(Settings.USE, TextTraining.NOT_USED);
        this.head = copied == null ? new TextHead(params, adapter) : copied.copy(params);
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
        return Stream.concat(Arrays.stream(super.params()), Arrays.stream(params.all()))
                .toArray(Param<?>[]::new);
    }

    @Override
    public Params stage() {
        return this;
    }

    @Override
    public String adapterFolder() {
        return head.adapter();
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

    /** Adds raw predictions, probabilities and predictions, but for columns that have no name. Texts are scored once. */
    @Override
    public Dataset<Row> transform(Dataset<?> dataset) {
        transformSchema(dataset.schema());
        TextScores scores = head.open(dataset.sparkSession());
        String raw = getRawPredictionCol().isEmpty() ? uid() + "_raw" : getRawPredictionCol();
        Dataset<Row> result =
                dataset.withColumn(raw, ClassFunctions.raw(scores).apply(col(RecordFields.quoted(getFeaturesCol()))));
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
        return new DenseVector(head.open(SparkSession.active()).of(text));
    }

    @Override
    public Vector raw2probabilityInPlace(Vector raw) {
        ClassFunctions.softmax(((DenseVector) raw).values());
        return raw;
    }

    LanguageModelClassificationModel summarized(QLoraTrainingSummary of) {
        summary = of;
        return this;
    }

    public boolean hasSummary() {
        return summary != null;
    }

    /** The summary of the fit that made this model. */
    public QLoraTrainingSummary summary() {
        if (summary == null) {
            throw new IllegalStateException(
                    "Cannot tell of the training of %s: it was not trained here".formatted(uid()));
        }

        return summary;
    }

    /** As above: its types there fit Scala, and no class of Java without this method. */
    @Override
    @SuppressWarnings({"rawtypes", "unchecked"})
    public Tuple3 findSummaryModel() {
        return super.findSummaryModel();
    }

    @Override
    public void tell(String text) {
        told = text;
    }

    /** The size of what is kept in memory, in bytes, for the cache of a Spark Connect server from 4.1 on: the weights are not. */
    public long estimatedSize() {
        return toString().length();
    }

    /** In JSON, for clients of Spark Connect. */
    @Override
    public String toString() {
        return told == null ? ModelJson.write(this, head.adapter(), summary) : told;
    }

    @Override
    public LanguageModelClassificationModel copy(ParamMap extra) {
        LanguageModelClassificationModel copy =
                new LanguageModelClassificationModel(EarlyUid.of(uid()), head.adapter(), labels, head);
        copyValues(copy, extra);
        copy.summary = summary;
        return copy.setParent(parent());
    }
}
