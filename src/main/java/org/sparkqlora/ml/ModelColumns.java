package org.sparkqlora.ml;

import static org.apache.spark.sql.functions.udf;

import java.nio.file.Path;
import java.time.LocalDate;
import java.util.Map;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.expressions.UserDefinedFunction;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sparkqlora.checkpoint.AdapterFolder;
import org.sparkqlora.model.layout.LoraSpec;
import org.sparkqlora.model.layout.ModelSpec;
import org.sparkqlora.objective.Classification;
import org.sparkqlora.objective.RewardModeling;
import org.sparkqlora.objective.ScoreObjective;
import org.sparkqlora.options.UseOptions;
import org.sparkqlora.run.generate.AnswerFacts;
import org.sparkqlora.run.generate.AnswerTokens;
import org.sparkqlora.run.model.AdapterSet;
import org.sparkqlora.run.model.AdapterStart;
import org.sparkqlora.run.model.BaseCheck;
import org.sparkqlora.run.prepare.ModelEncoders;
import org.sparkqlora.spark.cluster.Location;
import org.sparkqlora.spark.job.AnswerRows;
import org.sparkqlora.spark.job.AnswerText;
import org.sparkqlora.spark.job.ByAdapter;
import org.sparkqlora.spark.job.RecordLoss;
import org.sparkqlora.spark.job.ScoreColumn;
import org.sparkqlora.spark.job.ScoreRows;
import org.sparkqlora.spark.job.TextScores;
import org.sparkqlora.spark.prepare.RecordEncoders;
import org.sparkqlora.spark.replica.FixedModel;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.tokenizer.ModelTokenizer;
import org.sparkqlora.tokenizer.TemplateText;
import org.sparkqlora.tokenizer.TrainOn;
import org.sparkqlora.train.FolderModelSource;
import org.sparkqlora.train.ModelSource;
import org.sparkqlora.train.ObjectiveModelSource;
import org.sparkqlora.weights.family.ModelConfig;

/** A model with its adapters as two functions of columns: answers and losses. Tasks compute them when they are read. Driver only. */
final class ModelColumns {
    /** The column that is asked, behind all others, until the answer takes its place. */
    private static final String ASKED = "spark_qlora_asked";

    /** The column before it, of the adapter that a row names. */
    private static final String ADAPTER = "spark_qlora_adapter";

    private static final Logger LOG = LoggerFactory.getLogger(ModelColumns.class);

    private final UseOptions options;
    private final AdapterSet adapters;
    private final ModelConfig config;
    private final ModelSpec spec;
    private final FixedModel model;
    private @Nullable TextScores scores;

    private ModelColumns(
            UseOptions options, AdapterSet adapters, ModelConfig config, ModelSpec spec, FixedModel model) {
        this.options = options;
        this.adapters = adapters;
        this.config = config;
        this.spec = spec;
        this.model = model;
    }

    /** Opens the model of {@code options}; nothing of its weights is read yet. */
    static ModelColumns open(UseOptions options, JavaSparkContext context) {
        ModelConfig config = BaseCheck.config(options.model);
        AdapterSet adapters = AdapterSet.of(options.adapters, options.model.folder(), config);
        FolderModelSource base =
                options.model.source(adapters.inBase().orElse(null), options.model.precision(context, LOG::info));
        ModelSource source = adapters.isNamed() ? adapters.over(base) : used(adapters.unnamed(), base);
        try (FlatVector parameters = adapters.parameters(base, config)) {
            return new ModelColumns(
                    options,
                    adapters,
                    config,
                    base.spec(),
                    FixedModel.publish(context, source, parameters, adapters.index(base, config)));
        }
    }

    /** With the head that scores texts, where the adapter has one. */
    private static ModelSource used(AdapterStart start, FolderModelSource source) {
        Location folder = start.folder();
        if (folder == null || start.lora() == null || !start.lora().saved().scores()) {
            return source;
        }

        ScoreObjective objective = AdapterFolder.readLabels(folder.files(), folder.path())
                .<ScoreObjective>map(Classification::new)
                .orElseGet(() -> new RewardModeling(0));
        return ObjectiveModelSource.of(source, objective, false);
    }

    /** Whether the adapter has a head that scores texts, so that there are scores and neither answers nor losses. */
    boolean scoresTexts() {
        LoraSpec lora = adapters.unnamed().lora();
        return lora != null && lora.saved().scores();
    }

    /** From a text, or a record of one, to the scores of the adapter's head. */
    synchronized TextScores scores() {
        TextScores known = scores;
        if (known == null) {
            known = opened();
            scores = known;
        }

        return known;
    }

    private TextScores opened() {
        Path template = options.data.chatTemplate;
        RecordEncoders texts = RecordEncoders.of(
                        options.data.reading(),
                        options.model.tokenizer(),
                        text(template),
                        TrainOn.ALL,
                        adapters.unnamed().vocabulary().added())
                .withTemplateBudget(options.data.templateBudget);
        return new TextScores(model, texts, options.data.length.tokens);
    }

    /**
     * The rows with the scores of {@code texts} by the adapter's head.
     *
     * @param name of the new column, which replaces one that is there
     * @param ofRecords whether {@code texts} are records in JSON
     */
    Dataset<Row> scored(Dataset<Row> rows, Column texts, String name, ScoreColumn kind, boolean ofRecords) {
        StructType kept = rows.drop(name).schema();
        return rows.select(new Column("*"), texts.as(ASKED))
                .drop(name)
                .mapPartitions(
                        new ScoreRows(scores(), kind, ofRecords), Encoders.row(kept.add(name, kind.type(), true)));
    }

    /** The number of times that processes loaded the base, as far as tasks have reported. */
    long loads() {
        return model.loads();
    }

    /** From a column of text, which is what {@code asked} says, and one of adapters' names to the answer. */
    UserDefinedFunction answer(AnswerText.Asked asked) {
        return udf(AnswerText.function(answers(asked, LocalDate.now())), DataTypes.StringType);
    }

    /**
     * The rows with answers to {@code prompts}. Many grow together.
     *
     * @param names of the new columns
     * @param day that the chat template is told
     */
    Dataset<Row> answered(Dataset<Row> rows, PromptColumn prompts, AnswerNames names, LocalDate day) {
        return rows.select(
                        new Column("*"),
                        prompts.adapter().as(ADAPTER),
                        prompts.column().as(ASKED))
                .mapPartitions(
                        new AnswerRows(answers(prompts.asked(), day), names.losses(), names.error() != null),
                        Encoders.row(names.in(rows.schema())));
    }

    /** What decides an answer beside its prompt, in the words of the command line. */
    Map<String, String> facts() {
        try (AnswerTokens tokens = tokens()) {
            return AnswerFacts.of(options.model, options.adapters, adapters, spec, tokens);
        }
    }

    /** Whether the chat template may ask for the day. */
    boolean asksForTheDay() {
        return ModelTokenizer.asksForTheDay(options.model.folder(), text(options.data.chatTemplate));
    }

    private AnswerTokens tokens() {
        return AnswerTokens.open(options.model, config, options.data.chatTemplate, adapters, options.choice);
    }

    /** @param day that the chat template is told */
    private ByAdapter<AnswerText> answers(AnswerText.Asked asked, LocalDate day) {
        try (AnswerTokens tokens = tokens()) {
            return new ByAdapter<>(adapters.each(name -> new AnswerText(
                    model.with(name),
                    new RecordEncoders(
                            options.data.reading(),
                            options.model.tokenizer(),
                            text(options.data.chatTemplate),
                            options.data.trainOn,
                            adapters.start(name).vocabulary().added(),
                            tokens.tokenizer(name).fingerprint(),
                            day,
                            options.data.templateBudget),
                    tokens.spec(name),
                    asked)));
        }
    }

    /** From a column of records in JSON and one of adapters' names to a {@link RecordLoss}. */
    UserDefinedFunction loss() {
        ByAdapter<RecordLoss> losses = new ByAdapter<>(adapters.each(name -> new RecordLoss(
                model.with(name),
                ModelEncoders.of(options.model.tokenizer(), options.data, adapters.start(name), config),
                options.data.preparation())));
        return udf(RecordLoss.function(losses), RecordLoss.TYPE);
    }

    private static @Nullable TemplateText text(@Nullable Path template) {
        return template == null ? null : TemplateText.read(template);
    }
}
