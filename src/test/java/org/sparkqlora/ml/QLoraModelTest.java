package org.sparkqlora.ml;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.spark.SparkException;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.streaming.Trigger;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.cli.CommandRun;
import org.sparkqlora.input.BadInputException;

class QLoraModelTest {
    /** Packed rows add the same numbers in another order. */
    private static final double ORDER_OF_SUMS = 1e-4;

    @TempDir
    private static Path folder;

    private static SparkSession session;
    private static PirateFits fits;
    private static QLoraModel model;

    @BeforeAll
    static void fit() {
        session = PirateFits.session();
        fits = PirateFits.in(folder);
        model = fits.estimator("fits").fit(fits.data(session));
    }

    @AfterAll
    static void stop() {
        session.stop();
    }

    @Test
    void answersAreThoseOfTheCommand() throws Exception {
        Path prompts =
                Files.writeString(folder.resolve("prompts.txt"), "What does the owl say?\nWhere does the cat live?\n");
        Path output = folder.resolve("answers.jsonl");
        CommandRun run = CommandRun.of(
                "generate",
                "--model=" + fits.runs().model(),
                "--model-cache=" + fits.runs().cache(),
                "--precision=fp32",
                "--adapter=" + model.adapter().orElseThrow(),
                "--max-new-tokens=6",
                "--prompts=" + prompts,
                "--output=" + output);
        assertThat(run.err()).isEqualTo("2 of 2 prompts are answered\n");

        Dataset<Row> questions = session.read().text(prompts.toString());
        List<Row> answered = model.copy(ParamMap.empty())
                .setInputCol("value")
                .transform(questions)
                .collectAsList();

        assertThat(answered)
                .extracting(row -> row.getAs("answer"))
                .containsExactlyElementsOf(
                        session.read().json(output.toString()).select("text").collectAsList().stream()
                                .<Object>map(row -> row.getString(0))
                                .toList());
    }

    @Test
    void perplexityIsThatOfTheCommand() throws Exception {
        CommandRun run = fits.runs().evaluate(model.adapter().orElseThrow(), "--precision", "fp32");

        PerplexityEvaluator evaluator = new PerplexityEvaluator("perplexity_1");
        assertThat(evaluator).hasToString("PerplexityEvaluator: uid=perplexity_1, metricName=perplexity, lossCol=loss");

        double perplexity = evaluator.evaluate(model.transform(fits.data(session)));

        assertThat(perplexity)
                .isCloseTo(
                        new ObjectMapper()
                                .readTree(run.summary())
                                .get("perplexity")
                                .doubleValue(),
                        within(ORDER_OF_SUMS));
    }

    @Test
    void streamIsAnsweredAsATableIs() throws Exception {
        Dataset<Row> table = fits.data(session).limit(3);
        Dataset<Row> stream =
                session.readStream().schema(table.schema()).json(write(table).toString());
        long before = model.loads();

        model.transform(stream)
                .select("answer")
                .writeStream()
                .format("memory")
                .queryName("answers")
                .trigger(Trigger.AvailableNow())
                .start()
                .awaitTermination();

        assertThat(session.table("answers").collectAsList())
                .containsExactlyInAnyOrderElementsOf(
                        model.transform(table).select("answer").collectAsList());
        assertThat(model.loads() - before).isLessThanOrEqualTo(1);
    }

    @Test
    void copiesShareWhatIsOpened() {
        ModelColumns opened = model.opened(session.sparkContext());

        assertThat(model.copy(ParamMap.empty()).opened(session.sparkContext())).isSameAs(opened);
        assertThat(model.copy(ParamMap.empty()).setMaxNewTokens(2).opened(session.sparkContext()))
                .isNotSameAs(opened);
    }

    @Test
    void serverPutsAModelAsideWithoutItsWeights() throws Exception {
        Path aside = folder.resolve("aside");
        ((ModelFolder.Writer) model.write()).saveToLocal(aside.toString());

        QLoraModel again = (QLoraModel)
                new ModelFolder.Reader<>(QLoraModel.class, QLoraModel::new).loadFromLocal(aside.toString());

        assertThat(aside).isDirectoryNotContaining("regex:.*(safetensors|adapter)");
        assertThat(again.adapter()).isEqualTo(model.adapter());
        assertThat(again.base()).isEqualTo(model.base());
        assertThat(again).hasToString(model.toString());
        assertThat(again.estimatedSize()).isEqualTo(model.estimatedSize()).isLessThan(10_000);
        Dataset<Row> rows = fits.data(session).limit(1);
        assertThat(again.transform(rows).collectAsList())
                .isEqualTo(model.transform(rows).collectAsList());
    }

    @Test
    void rowsWithoutAnAnswerHaveNoLoss() {
        Dataset<Row> asked = fits.data(session)
                .limit(2)
                .select(functions.slice(functions.col("messages"), 1, 1).as("messages"));

        List<Row> rows = model.transform(asked).collectAsList();

        assertThat(rows).allSatisfy(row -> {
            assertThat(row.isNullAt(row.fieldIndex("loss"))).isTrue();
            assertThat(row.<String>getAs("answer")).isNotBlank();
        });
        assertThatThrownBy(() -> new PerplexityEvaluator().evaluate(model.transform(asked)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Cannot evaluate: expected rows with a trained token, found none");
    }

    @Test
    void rowsThatAreNullHaveNeitherAnAnswerNorALoss() {
        Dataset<Row> data = fits.data(session).limit(1);
        Dataset<Row> withNull =
                data.union(session.createDataFrame(List.of(RowFactory.create((Object) null)), data.schema()));

        List<Row> rows = model.transform(withNull).collectAsList();

        assertThat(rows).extracting(row -> row.isNullAt(row.fieldIndex("loss"))).containsExactly(false, true);
        assertThat(rows)
                .extracting(row -> row.isNullAt(row.fieldIndex("answer")))
                .containsExactly(false, true);
    }

    @Test
    void answersThatGrowTogetherAreThoseOfEachAlone() {
        Dataset<Row> data = fits.data(session).withColumn("id", functions.monotonically_increasing_id());

        List<Row> alone = model.transform(data).drop("loss").collectAsList();
        List<Row> together = model.copy(ParamMap.empty())
                .setLossCol("")
                .transform(data.repartition(2))
                .orderBy("id")
                .collectAsList();

        assertThat(together).isEqualTo(alone).hasSizeGreaterThan(64);
    }

    @Test
    void rowThatCannotBeAnsweredSaysWhyInAColumn() {
        Dataset<Row> asked = fits.data(session)
                .select(functions.slice(functions.col("messages"), 1, 1).as("messages"))
                .limit(2)
                .coalesce(1);
        Dataset<Row> withNothing =
                asked.union(session.createDataFrame(List.of(RowFactory.create((Object) new Row[0])), asked.schema()));

        List<Row> rows = model.copy(ParamMap.empty())
                .setErrorCol("error")
                .transform(withNothing)
                .collectAsList();

        assertThat(rows.get(0).<String>getAs("answer")).isNotBlank();
        assertThat(rows.get(1).<Row>getAs("error")).isNull();
        assertThat(rows.get(2).<String>getAs("answer")).isNull();
        Row error = rows.get(2).getAs("error");
        assertThat(error.<String>getAs("type")).isEqualTo("BAD_PROMPT");
        assertThat(error.<String>getAs("message")).contains("expected", "found");
        assertThatThrownBy(() -> model.transform(withNothing).collectAsList())
                .isInstanceOf(SparkException.class)
                .hasStackTraceContaining(error.<String>getAs("message"));
        assertThatThrownBy(() ->
                        model.copy(ParamMap.empty()).setErrorCol("messages").transform(withNothing))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "Cannot transform: errorCol: expected the name of a new column, found that messages is there");
    }

    @Test
    void anEmptyTextCostsItsOwnRow() {
        Dataset<Row> texts = session.createDataFrame(
                        List.of(RowFactory.create("what says"), RowFactory.create("")),
                        new StructType().add("prompt", "string"))
                .coalesce(1);

        List<Row> rows = model.copy(ParamMap.empty())
                .setErrorCol("error")
                .transform(texts)
                .collectAsList();

        assertThat(rows.get(0).<Row>getAs("error")).isNull();
        assertThat(rows.get(1).<Row>getAs("error").<String>getAs("message"))
                .isEqualTo("Cannot ask a text: expected at least 1 token, found none");
    }

    @Test
    void columnsThatCannotBeUsedAreRefusedBeforeWork() {
        Dataset<Row> data = fits.data(session);

        assertThatThrownBy(() -> model.transform(data.withColumnRenamed("messages", "dialog")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("Cannot transform: inputCol: expected a column of texts or of messages")
                .hasMessageEndingWith("found columns [dialog array<struct<content:string,role:string>>]");
        assertThatThrownBy(() -> model.transform(data.withColumn("answer", functions.lit(1))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "Cannot transform: outputCol: expected the name of a new column, found that answer is there");
    }

    @Test
    void columnOfAnotherTypeHasNoLossAndNoAnswer() {
        assertThatThrownBy(() -> model.transform(session.range(2).toDF("messages")))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("expected a column of texts or of messages")
                .hasMessageEndingWith("found columns [messages bigint]");
    }

    @Test
    void modelThatIsReadBackAnswersTheSame() throws Exception {
        String path = folder.resolve("stored").toString();
        Dataset<Row> asked = fits.data(session).limit(2);

        model.write().save(path);
        QLoraModel read = QLoraModel.load(path);

        assertThat(read.adapter()).contains(path + "/adapter");
        assertThat(read.hasSummary()).isFalse();
        assertThat(read.transform(asked).collectAsList())
                .isEqualTo(model.transform(asked).collectAsList());
        assertThatThrownBy(() -> read.write().overwrite().save(path))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("Cannot save to " + path);
    }

    @Test
    void wholeModelIsStoredWhole() throws Exception {
        QLoraModel full =
                fits.estimator("whole").setMethod("full").setMaxSteps(1).fit(fits.data(session));
        String path = folder.resolve("stored-whole").toString();
        Dataset<Row> asked = fits.data(session).limit(1);

        full.write().save(path);
        QLoraModel read = QLoraModel.load(path);

        assertThat(full.adapter()).isEmpty();
        assertThat(read.base()).isEqualTo(path + "/model");
        assertThat(read.transform(asked).collectAsList())
                .isEqualTo(full.transform(asked).collectAsList());
    }

    private static Path write(Dataset<Row> table) {
        Path target = folder.resolve("stream");
        table.write().json(target.toString());
        return target;
    }
}
