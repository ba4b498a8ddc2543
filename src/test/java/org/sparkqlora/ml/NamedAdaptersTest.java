package org.sparkqlora.ml;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.apache.spark.SparkException;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.StructType;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.JsonValues;
import org.sparkqlora.cli.CommandRun;
import org.sparkqlora.command.ExitCode;
import org.sparkqlora.input.BadInputException;

/** Rows of one table that name the adapters that answer them. */
class NamedAdaptersTest {
    private static final StructType SCHEMA =
            new StructType().add("question", "string").add("voice", "string");
    private static final List<String> VOICES = Arrays.asList("other", null, "__base__", "", "other", "__base__");

    @TempDir
    private static Path folder;

    private static SparkSession session;
    private static PirateFits fits;
    private static QLoraModel own;
    private static QLoraModel other;
    private static QLoraModel base;

    @BeforeAll
    static void fit() {
        SparkSession.builder()
                .master("local[2]")
                .config("spark.ui.enabled", "false")
                .config("spark.sql.warehouse.dir", folder.resolve("warehouse").toString())
                .getOrCreate();
        session = PirateFits.session();
        fits = PirateFits.in(folder);
        own = fitted("own", 4);
        other = fitted("other", 8);
        base = new QLoraModel("base", (String) null)
                .option("model", fits.runs().model())
                .option("modelCache", fits.runs().cache().toString())
                .option("precision", "fp32")
                .setInputCol("question")
                .setMaxNewTokens(6);
    }

    private static QLoraModel fitted(String name, int rank) {
        return fits.estimator(name)
                .setRank(rank)
                .setLearningRate(0.02)
                .setMaxSteps(6)
                .fit(fits.data(session))
                .setInputCol("question");
    }

    @AfterAll
    static void stop() {
        session.stop();
    }

    @Test
    void eachRowHasTheAnswerOfItsAdapterAloneAndTheBaseIsLoadedOnce() {
        QLoraModel model = named();

        assertThat(answers(model)).isEqualTo(expected(own, other));
        assertThat(answers(model.setErrorCol("error"))).isEqualTo(expected(own, other));
        assertThat(model.loads()).isEqualTo(1);
        assertThat(answers(named(base))).isEqualTo(expected(base, other));
    }

    @Test
    void eachRowHasTheLossOfItsAdapterAlone() {
        Dataset<Row> data = fits.data(session).limit(6);
        List<Row> rows = new ArrayList<>();
        List<Row> records = data.collectAsList();
        for (int i = 0; i < records.size(); i++) {
            rows.add(RowFactory.create(records.get(i).get(0), VOICES.get(i)));
        }

        Dataset<Row> voiced = session.createDataFrame(rows, data.schema().add("voice", "string"));
        QLoraModel model = named().option("inputCol", "messages");

        List<Row> losses = model.transform(voiced).select("loss", "answer").collectAsList();

        for (int i = 0; i < VOICES.size(); i++) {
            assertThat(losses.get(i))
                    .isEqualTo(chosen(VOICES.get(i), own, other)
                            .copy(ParamMap.empty())
                            .option("inputCol", "messages")
                            .transform(voiced)
                            .select("loss", "answer")
                            .collectAsList()
                            .get(i));
        }
    }

    @Test
    void lossesStandBesideAnswersThatTheyDoNotChange() {
        QLoraModel model = named().setAnswerLossCol("told").setErrorCol("error");
        Dataset<Row> rows = questions("other", null, "parrot", "__base__");

        Dataset<Row> answered = model.transform(rows);

        List<Row> losses = answered.select("answer", "told.sum", "told.tokens").collectAsList();
        assertThat(answered.schema().fieldNames()).containsExactly("question", "voice", "answer", "told", "error");
        assertThat(losses.stream().map(row -> row.getString(0)))
                .containsExactlyElementsOf(
                        named().setErrorCol("error").transform(rows).select("answer").collectAsList().stream()
                                .map(row -> row.getString(0))
                                .toList());
        assertThat(losses.get(2).isNullAt(1)).isTrue();
        assertThat(losses.get(0).getDouble(1)).isPositive();
        assertThat(losses.get(0).getLong(2)).isBetween(1L, 6L);
        double sum = losses.get(0).getDouble(1)
                + losses.get(1).getDouble(1)
                + losses.get(3).getDouble(1);
        long tokens = losses.get(0).getLong(2)
                + losses.get(1).getLong(2)
                + losses.get(3).getLong(2);
        assertThat(new PerplexityEvaluator()
                        .setLossCol("told")
                        .setMetricName("loss")
                        .evaluate(answered))
                .isEqualTo(sum / tokens);
        assertThatThrownBy(() -> named().setAnswerLossCol("voice").transform(rows))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("answerLossCol: expected the name of a new column, found that voice is there");
    }

    @Test
    void aNameThatNoAdapterHasIsTheErrorOfItsRow() {
        Dataset<Row> rows = questions("other", "parrot", null);

        List<Row> answered = named().setErrorCol("error").transform(rows).collectAsList();

        assertThat(answered.get(0).<Row>getAs("error")).isNull();
        assertThat(answered.get(1).<String>getAs("answer")).isNull();
        assertThat(answered.get(1).<Row>getAs("error"))
                .isEqualTo(RowFactory.create(
                        "UNKNOWN_ADAPTER", "Cannot find adapter parrot: expected one of __base__, other, or no name"));
        assertThat(answered.get(2).<String>getAs("answer")).isNotNull();
        assertThatThrownBy(() -> named().transform(rows).collectAsList())
                .isInstanceOf(SparkException.class)
                .hasMessageContaining("Cannot find adapter parrot");
    }

    @Test
    void aStoredModelKnowsItsAdaptersAgain() throws Exception {
        String stored = folder.resolve("stored").toString();
        named().save(stored);

        QLoraModel again = QLoraModel.load(stored);

        assertThat(answers(again)).isEqualTo(expected(own, other));
        assertThat(JsonValues.of(named().toString()).get("params"))
                .asInstanceOf(InstanceOfAssertFactories.MAP)
                .containsEntry("adapters", List.of("other=" + other.adapter().orElseThrow()))
                .containsEntry("adapterCol", "voice");
    }

    @Test
    void aModelIsNotSavedOverAnAdapterThatItReads() throws Exception {
        String stored = folder.resolve("taken").toString();
        other.save(stored);
        QLoraModel model = own.copy(ParamMap.empty()).setAdapters(Map.of("other", stored + "/adapter"));

        assertThatThrownBy(() -> model.write().overwrite().save(stored))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("taken: the model reads")
                .hasMessageContaining("Save it elsewhere");
        assertThat(folder.resolve("taken/adapter/adapter_model.safetensors")).exists();
    }

    @Test
    void whatCannotBeIsToldBeforeWorkStarts() {
        Dataset<Row> rows = questions("other");

        assertThatThrownBy(() -> named().setAdapterCol("name").transform(rows))
                .isInstanceOf(BadInputException.class)
                .hasMessage(
                        "Cannot transform: adapterCol: expected a column name of the names of adapters in the table, found columns [question, voice]");
        assertThatThrownBy(() -> named().transform(rows.withColumn("voice", functions.lit(1))))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining(
                        "expected a column voice of the names of adapters in the table, found one of int");
        assertThatThrownBy(() -> named().option("adapters", "other").transform(rows))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("adapters: expected name=folder, found 'other'");
        assertThatThrownBy(
                        () -> named().option("adapters", List.of("a=x", "a=y")).transform(rows))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("adapters: expected one of the name a, found several");
    }

    @Test
    void aTableIsAnsweredAsTheModelDoes() {
        questions(VOICES.toArray(String[]::new)).write().saveAsTable("asked");
        List<String> line =
                new ArrayList<>(List.of("generate", "--model", fits.runs().model(), "--model-cache"));
        line.addAll(List.of(fits.runs().cache().toString(), "--precision", "fp32", "--max-new-tokens", "6"));
        line.addAll(List.of(
                "--prompt-table",
                "asked",
                "--prompt-column",
                "question",
                "--answer-table",
                "answered",
                "--table-format",
                "parquet"));
        line.addAll(List.of("--adapter", own.adapter().orElseThrow()));
        line.addAll(List.of("--adapter", "other=" + other.adapter().orElseThrow()));

        CommandRun missing = CommandRun.of(line.toArray(String[]::new));
        line.addAll(List.of("--adapter-column", "voice", "--answer-losses"));
        CommandRun run = CommandRun.of(line.toArray(String[]::new));

        assertThat(missing.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(missing.err())
                .contains("--adapter-column: expected a column adapter of the names of adapters in")
                .contains("found columns [question, voice]");
        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        assertThat(session.table("answered").select("answer").collectAsList().stream()
                        .map(row -> row.getString(0))
                        .toList())
                .containsExactlyInAnyOrderElementsOf(expected(own, other));
        assertThat(session.table("answered").where("answer_loss.tokens > 0").count())
                .isEqualTo(VOICES.size());
    }

    private static QLoraModel named() {
        return named(own);
    }

    private static QLoraModel named(QLoraModel model) {
        return model.copy(ParamMap.empty())
                .setAdapters(Map.of("other", other.adapter().orElseThrow()))
                .setAdapterCol("voice");
    }

    private static List<String> answers(QLoraModel model) {
        return model.transform(questions(VOICES.toArray(String[]::new))).collectAsList().stream()
                .map(row -> row.<String>getAs("answer"))
                .toList();
    }

    /** Each by a model that has one adapter, or none. */
    private static List<String> expected(QLoraModel unnamed, QLoraModel named) {
        Dataset<Row> all = questions(VOICES.toArray(String[]::new));
        List<String> answers = new ArrayList<>();
        for (int i = 0; i < VOICES.size(); i++) {
            answers.add(chosen(VOICES.get(i), unnamed, named)
                    .transform(all)
                    .collectAsList()
                    .get(i)
                    .getAs("answer"));
        }

        assertThat(answers.stream().distinct()).hasSizeGreaterThan(2); // the models differ
        return answers;
    }

    private static QLoraModel chosen(@Nullable String voice, QLoraModel unnamed, QLoraModel named) {
        if (voice == null || voice.isEmpty()) {
            return unnamed;
        }

        return voice.equals("other") ? named : base;
    }

    private static Dataset<Row> questions(@Nullable String... voices) {
        List<String> asked = List.of("owl", "cat", "cow");
        List<Row> rows = new ArrayList<>();
        for (int i = 0; i < voices.length; i++) {
            rows.add(RowFactory.create("What does the %s say?".formatted(asked.get(i % 3)), voices[i]));
        }

        return session.createDataFrame(rows, SCHEMA).coalesce(1);
    }
}
