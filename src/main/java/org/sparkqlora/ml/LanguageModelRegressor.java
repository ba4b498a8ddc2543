package org.sparkqlora.ml;

import static org.apache.spark.sql.functions.col;

import java.util.List;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.ml.regression.Regressor;
import org.apache.spark.ml.util.DefaultParamsWritable;
import org.apache.spark.ml.util.Identifiable$;
import org.apache.spark.ml.util.MLReader;
import org.apache.spark.ml.util.MLWriter;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.sparkqlora.data.Labels;
import org.sparkqlora.data.ProblemType;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.options.Settings;

/**
 * Fine-tunes a language model to predict a number for a text. {@code featuresCol} is a column of texts, {@code labelCol} their numbers. Other params
 * are options of the command {@code train}; {@link #explainParams()} lists them. {@code batchSize} counts texts.
 */
public final class LanguageModelRegressor
        extends Regressor<String, LanguageModelRegressor, LanguageModelRegressionModel>
        implements DefaultParamsWritable {
    private static final long serialVersionUID = 1L;

    private final EarlyUid uid;
    private final StageParams params;

    public LanguageModelRegressor() {
        this(Identifiable$.MODULE$.randomUID("languageModelRegressor"));
    }

    /** MLlib makes stages by their uid. */
    public LanguageModelRegressor(String uid) {
        this(EarlyUid.of(uid));
    }

    private LanguageModelRegressor(EarlyUid uid) {
        this.uid = uid;
        this.params = new StageParams(this).with(Settings.TRAIN, TextTraining.NOT_SETTINGS);
    }

    public static LanguageModelRegressor load(String path) {
        return read().load(path);
    }

    public static MLReader<LanguageModelRegressor> read() {
        return new StageFolder.Reader<>(LanguageModelRegressor.class);
    }

    @Override
    public MLWriter write() {
        return new StageFolder.Writer(this);
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
    public DataType featuresDataType() {
        return DataTypes.StringType;
    }

    /** @throws BadInputException where a column is missing or of another type */
    @Override
    public StructType transformSchema(StructType schema) {
        return params.columns("fit", () -> super.transformSchema(schema));
    }

    @Override
    public LanguageModelRegressionModel train(Dataset<?> dataset) {
        Labels number = new Labels(ProblemType.REGRESSION, List.of(Labels.NUMBER));
        QLoraModel fitted = new TextTraining(params)
                .fit(dataset, getFeaturesCol(), col(RecordFields.quoted(getLabelCol())), number);
        return new LanguageModelRegressionModel(uid(), fitted.adapter().orElseThrow()).summarized(fitted.summary());
    }

    @Override
    public LanguageModelRegressor copy(ParamMap extra) {
        return defaultCopy(extra);
    }

    /** Sets the param called {@code name}; numbers and texts become what it holds. */
    public LanguageModelRegressor option(String name, Object value) {
        params.setAny(name, value);
        return this;
    }

    /** The base model: a folder in Hugging Face layout, a .gguf file, or a hub id. */
    public LanguageModelRegressor setModel(String value) {
        return option("model", value);
    }

    /** The folder of runs: each distinct fit has one of its own in it. */
    public LanguageModelRegressor setOutput(String value) {
        return option("output", value);
    }
}
