package org.sparkqlora.ml;

import static org.apache.spark.sql.functions.array;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.element_at;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.max;
import static org.apache.spark.sql.functions.when;

import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.apache.spark.ml.attribute.Attribute;
import org.apache.spark.ml.attribute.NominalAttribute;
import org.apache.spark.ml.classification.ProbabilisticClassifier;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.ml.util.DefaultParamsWritable;
import org.apache.spark.ml.util.Identifiable$;
import org.apache.spark.ml.util.MLReader;
import org.apache.spark.ml.util.MLWriter;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.sparkqlora.data.Labels;
import org.sparkqlora.data.ProblemType;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.options.Settings;

/**
 * Fine-tunes a language model to classify texts. {@code featuresCol} is a column of texts, {@code labelCol} the index of each one's class as
 * MLlib has it: 0, 1, ... in any number type, named by the column's metadata where {@code StringIndexer} made it. Other params are options of the
 * command {@code train}; {@link #explainParams()} lists them. {@code batchSize} counts texts.
 */
public final class LanguageModelClassifier
        extends ProbabilisticClassifier<String, LanguageModelClassifier, LanguageModelClassificationModel>
        implements DefaultParamsWritable {
    private static final long serialVersionUID = 1L;

    private static final int MOST_CLASSES = 1000;

    private final EarlyUid uid;
    private final StageParams params;

    public LanguageModelClassifier() {
        this(Identifiable$.MODULE$.randomUID("languageModelClassifier"));
    }

    /** MLlib makes stages by their uid. */
    public LanguageModelClassifier(String uid) {
        this(EarlyUid.of(uid));
    }

    private LanguageModelClassifier(EarlyUid uid) {
        this.uid = uid;
        this.params = new StageParams(this).with(Settings.TRAIN, TextTraining.NOT_SETTINGS);
    }

    public static LanguageModelClassifier load(String path) {
        return read().load(path);
    }

    public static MLReader<LanguageModelClassifier> read() {
        return new StageFolder.Reader<>(LanguageModelClassifier.class);
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
    public LanguageModelClassificationModel train(Dataset<?> dataset) {
        Labels labels = new Labels(ProblemType.SINGLE_LABEL_CLASSIFICATION, names(dataset));
        Column[] names = labels.names().stream().map(name -> lit(name)).toArray(Column[]::new);
        Column index = col(RecordFields.quoted(getLabelCol()))
                .cast(DataTypes.IntegerType)
                .plus(1);
        Column name = element_at(array(names), index);
        QLoraModel fitted = new TextTraining(params).fit(dataset, getFeaturesCol(), name, labels);
        return new LanguageModelClassificationModel(uid(), fitted.adapter().orElseThrow(), labels)
                .summarized(fitted.summary());
    }

    /** By the metadata of the column, or by the numbers in it. */
    private List<String> names(Dataset<?> dataset) {
        return named(dataset).orElseGet(() -> numbered(dataset));
    }

    private Optional<List<String>> named(Dataset<?> dataset) {
        Attribute attribute = Attribute.fromStructField(dataset.schema().apply(getLabelCol()));
        return attribute instanceof NominalAttribute nominal && nominal.values().isDefined()
                ? Optional.of(List.of(nominal.values().get()))
                : Optional.empty();
    }

    private List<String> numbered(Dataset<?> dataset) {
        Column label = col(RecordFields.quoted(getLabelCol()));
        Column index = label.cast(DataTypes.IntegerType);
        Column wrong =
                label.isNull().or(label.lt(0)).or(label.geq(MOST_CLASSES)).or(label.notEqual(index));
        Row found =
                dataset.agg(count(lit(1)), count(when(wrong, 1)), max(index)).first();
        if (found.getLong(0) == 0) {
            throw new BadInputException("Cannot fit: expected rows to train on, found none");
        }

        if (found.getLong(1) > 0) {
            throw new BadInputException(
                    "labelCol: expected whole numbers from 0 to %d in column %s, found %d rows with others. StringIndexer makes them of names"
                            .formatted(MOST_CLASSES - 1, getLabelCol(), found.getLong(1)));
        }

        return IntStream.rangeClosed(0, found.getInt(2))
                .mapToObj(String::valueOf)
                .toList();
    }

    @Override
    public LanguageModelClassifier copy(ParamMap extra) {
        return defaultCopy(extra);
    }

    /** Sets the param called {@code name}; numbers and texts become what it holds. */
    public LanguageModelClassifier option(String name, Object value) {
        params.setAny(name, value);
        return this;
    }

    /** The base model: a folder in Hugging Face layout, a .gguf file, or a hub id. */
    public LanguageModelClassifier setModel(String value) {
        return option("model", value);
    }

    /** The folder of runs: each distinct fit has one of its own in it. */
    public LanguageModelClassifier setOutput(String value) {
        return option("output", value);
    }
}
