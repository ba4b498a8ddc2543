package org.sparkqlora.ml;

import static org.apache.spark.sql.functions.col;

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
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.options.Settings;
import org.sparkqlora.spark.job.ScoreColumn;

/**
 * A language model that predicts a number for a text. The base stays where it is; the adapter, in PEFT layout, has the head.
 */
public final class LanguageModelRegressionModel extends RegressionModel<String, LanguageModelRegressionModel>
        implements MLWritable, AdapterModel {
    private static final long serialVersionUID = 1L;

    private final EarlyUid uid;
    private final StageParams params;
    private final FittedAdapter fitted;

    /** A model without an adapter: a server of Spark Connect finds the class by it. */
    public LanguageModelRegressionModel() {
        this(Identifiable$.MODULE$.randomUID("languageModelRegressionModel"), null);
    }

    /** @param adapter its folder; null in a model that is none yet */
    LanguageModelRegressionModel(String uid, @Nullable String adapter) {
        this(EarlyUid.of(uid), new FittedAdapter(adapter));
    }

    private LanguageModelRegressionModel(EarlyUid uid, FittedAdapter fitted) {
        this.uid = uid;
        this.params = new StageParams(this).with(Settings.USE, TextTraining.NOT_USED);
        this.fitted = fitted;
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

    @Override
    public DataType featuresDataType() {
        return DataTypes.StringType;
    }

    /** @throws BadInputException where a column is missing or of another type */
    @Override
    public StructType transformSchema(StructType schema) {
        return params.columns("transform", () -> super.transformSchema(schema));
    }

    /** Adds predictions. */
    @Override
    public Dataset<Row> transform(Dataset<?> dataset) {
        transformSchema(dataset.schema());
        return fitted.columns(params, dataset.sparkSession().sparkContext())
                .scored(
                        dataset.toDF(),
                        col(RecordFields.quoted(getFeaturesCol())),
                        getPredictionCol(),
                        ScoreColumn.NUMBER,
                        false);
    }

    @Override
    public double predict(String text) {
        return fitted.columns(params, SparkSession.active().sparkContext())
                .scores()
                .of(text)[0];
    }

    LanguageModelRegressionModel summarized(QLoraTrainingSummary of) {
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
    public LanguageModelRegressionModel copy(ParamMap extra) {
        LanguageModelRegressionModel copy = new LanguageModelRegressionModel(EarlyUid.of(uid()), fitted.copy());
        copyValues(copy, extra);
        return copy.setParent(parent());
    }
}
