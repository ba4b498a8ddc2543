package org.sparkqlora.ml;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.udf;

import java.util.Arrays;
import java.util.stream.Stream;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.ml.param.Params;
import org.apache.spark.ml.regression.RegressionModel;
import org.apache.spark.ml.util.Identifiable$;
import org.apache.spark.ml.util.MLReader;
import org.apache.spark.ml.util.MLWritable;
import org.apache.spark.ml.util.MLWriter;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.api.java.UDF1;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.options.Settings;
import org.sparkqlora.spark.job.TextScores;

/**
 * A language model that tells a number of a text. The base stays where it is; the adapter, in PEFT layout, has the head.
 */
public final class LanguageModelRegressionModel extends RegressionModel<String, LanguageModelRegressionModel>
        implements MLWritable, AdapterModel {
    private static final long serialVersionUID = 1L;

    private final EarlyUid uid;
    private final StageParams params;
    private final transient TextHead head;
    private transient @Nullable QLoraTrainingSummary summary;
    private transient @Nullable String told;

    /** A model without an adapter: a server of Spark Connect finds the class by it. */
    public LanguageModelRegressionModel() {
        this(Identifiable$.MODULE$.randomUID("languageModelRegressionModel"), "");
    }

    LanguageModelRegressionModel(String uid, String adapter) {
        this(EarlyUid.of(uid), adapter, null);
    }

    private LanguageModelRegressionModel(EarlyUid uid, String adapter, @Nullable TextHead copied) {
        this.uid = uid;
        this.params = new StageParams(this).with(Settings.USE, TextTraining.NOT_USED);
        this.head = copied == null ? new TextHead(params, adapter) : copied.copy(params);
    }

    public static LanguageModelRegressionModel load(String path) {
        return read().load(path);
    }

    public static MLReader<LanguageModelRegressionModel> read() {
        return new ModelFolder.Reader<>(LanguageModelRegressionModel.class, LanguageModelRegressionModel::new);
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

    @Override
    public DataType featuresDataType() {
        return DataTypes.StringType;
    }

    /** Adds predictions. */
    @Override
    public Dataset<Row> transform(Dataset<?> dataset) {
        transformSchema(dataset.schema());
        TextScores scores = head.open(dataset.sparkSession());
        UDF1<String, Double> number = text -> scores.of(text)[0];
        return dataset.withColumn(
                getPredictionCol(),
                udf(number, DataTypes.DoubleType).apply(col(RecordFields.quoted(getFeaturesCol()))));
    }

    @Override
    public double predict(String text) {
        return head.open(SparkSession.active()).of(text)[0];
    }

    LanguageModelRegressionModel summarized(QLoraTrainingSummary of) {
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
    public LanguageModelRegressionModel copy(ParamMap extra) {
        LanguageModelRegressionModel copy = new LanguageModelRegressionModel(EarlyUid.of(uid()), head.adapter(), head);
        copyValues(copy, extra);
        copy.summary = summary;
        return copy.setParent(parent());
    }
}
