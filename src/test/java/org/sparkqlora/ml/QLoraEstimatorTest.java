package org.sparkqlora.ml;

import static org.assertj.core.api.Assertions.as;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.JsonValues;
import org.sparkqlora.input.BadInputException;

class QLoraEstimatorTest {
    private static final String WEIGHTS = "adapter_model.safetensors";

    @TempDir
    private static Path folder;

    private static SparkSession session;
    private static PirateFits fits;

    @BeforeAll
    static void start() {
        session = PirateFits.session();
        fits = PirateFits.in(folder);
    }

    @AfterAll
    static void stop() {
        session.stop();
    }

    @Test
    @Tag("spark-line")
    void fitGivesTheAdapterThatTheCommandGives() throws Exception {
        Path byCommand = folder.resolve("by-command");
        fits.runs().train(byCommand.toString(), "--max-steps", "2");

        QLoraModel model = fits.estimator("by-fit").fit(fits.data(session));

        assertThat(Path.of(model.adapter().orElseThrow()).resolve(WEIGHTS))
                .hasSameBinaryContentAs(byCommand.resolve("adapter").resolve(WEIGHTS));
    }

    @Test
    void fitThatIsDoneAgainTrainsNothing() {
        QLoraModel first = fits.estimator("twice").fit(fits.data(session));
        QLoraModel again;
        List<String> told;
        try (LoggedWarnings warnings = LoggedWarnings.of(QLoraEstimator.class)) {
            again = fits.estimator("twice").fit(fits.data(session).repartition(3));
            told = warnings.lines();
        }

        assertThat(told)
                .contains(
                        "nothing was trained: %s has the result of an earlier fit with the same settings on the same rows. Set resume to never, or another output, to train again"
                                .formatted(first.summary().folder()));

        assertThat(first.summary().resumedFrom()).isZero();
        assertThat(again.summary().resumedFrom()).isEqualTo(2);
        assertThat(again.adapter()).isEqualTo(first.adapter());
        assertThat(again.summary().metrics().count()).isEqualTo(2);
    }

    @Test
    void aFitPrintsWhatItHolds() throws Exception {
        QLoraModel model = fits.estimator("printed").fit(fits.data(session));
        String adapter = model.adapter().orElseThrow();

        JsonNode told = new ObjectMapper().readTree(model.toString());
        assertThat(told.path("class").textValue()).isEqualTo(QLoraModel.class.getName());
        assertThat(told.path("uid").textValue()).isEqualTo(model.uid());
        assertThat(told.path("adapter").textValue()).isEqualTo(adapter);
        assertThat(told.path("params").path("model").textValue()).isEqualTo(model.base());
        assertThat(told.path("params").path("maxNewTokens").intValue()).isEqualTo(6);
        assertThat(told.path("folder").textValue()).isEqualTo(model.summary().folder());
        assertThat(told.path("summary")).hasToString(model.summary().json());
        assertThat(model.summary())
                .asString()
                .matches(
                        "QLoraTrainingSummary: steps=2, resumedFrom=0, firstLoss=\\d\\.\\d{4}, lastLoss=\\d\\.\\d{4}, evalLoss=NaN,"
                                + " adapterEvalLoss=NaN, tokensPerSecond=\\d+\\.\\d, folder="
                                + Pattern.quote(model.summary().folder()));
    }

    @Test
    void fitsTellOfStepsThatLearnNothing() {
        try (LoggedWarnings warnings = LoggedWarnings.of(QLoraEstimator.class)) {
            fits.estimator("few").fit(fits.data(session));

            assertThat(warnings.lines())
                    .contains("1 of 2 steps has learning rate 0, with which the warm-up begins, and changes"
                            + " nothing: --warmup-ratio 0 is without a warm-up");
        }
    }

    @Test
    void onlyStepOfAFitTrains() throws Exception {
        QLoraModel untrained =
                fits.estimator("rate").setLearningRate(1e-12).setMaxSteps(1).fit(fits.data(session));
        QLoraModel trained =
                fits.estimator("rate").setLearningRate(1e-2).setMaxSteps(1).fit(fits.data(session));

        assertThat(Files.readAllBytes(Path.of(trained.adapter().orElseThrow()).resolve(WEIGHTS)))
                .isNotEqualTo(Files.readAllBytes(
                        Path.of(untrained.adapter().orElseThrow()).resolve(WEIGHTS)));
    }

    @Test
    void allThatIsWrongIsToldBeforeWork() {
        QLoraEstimator estimator = fits.estimator("wrong").setLearningRate(-1).setRank(0);

        assertThatThrownBy(() -> estimator.fit(fits.data(session)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "Cannot fit: 2 problems\n  rank, alpha, dropout, layersToTransform: Cannot build adapters of rank 0: rank must be at least 1\n  learningRate: expected a number above 0, found -1.0");
        assertThat(Files.exists(folder.resolve("wrong"))).isFalse();
    }

    @Test
    void columnsThatAreMissingAreNamed() {
        assertThatThrownBy(
                        () -> fits.estimator("columns").fit(fits.data(session).withColumnRenamed("messages", "dialog")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("inputCol: expected it to name a column")
                .hasMessageContaining("found columns [dialog]");
    }

    @Test
    void columnOfAnotherTypeIsNamedBeforeWork() {
        Dataset<Row> numbers = session.range(3).toDF("messages");

        assertThatThrownBy(() -> fits.estimator("typed").fit(numbers))
                .isInstanceOf(BadInputException.class)
                .hasMessage("Cannot fit: column messages: expected lists of messages (array of struct), found bigint");
        assertThatThrownBy(() -> fits.estimator("typed").setInputCol("number").fit(numbers.toDF("number")))
                .isInstanceOf(BadInputException.class)
                .hasMessage("Cannot fit: column number: expected texts (string), found bigint");
        assertThat(Files.exists(folder.resolve("typed"))).isFalse();
    }

    @Test
    void rowsThatAreNoRecordsAreCountedByColumnAndTheFirstIsShown() {
        Dataset<Row> pairs =
                session.sql("select * from values ('a', 'b'), (null, 'c'), (null, 'd') as t(prompt, said)");
        QLoraEstimator estimator = fits.estimator("nulls").option("columns", "completion=said");

        assertThatThrownBy(() -> estimator.fit(pairs))
                .isInstanceOf(BadInputException.class)
                .hasMessageStartingWith("Cannot fit: expected training records, found 2 of 3 rows that are none:"
                        + " column prompt is null in 2. The first is {\"said\":\"c\"} (Cannot ")
                .hasMessageEndingWith("Drop such rows, or set onBadRecord to skip");
        assertThat(folder.resolve("nulls/data")).isEmptyDirectory();
    }

    @Test
    void rowThatOnlyTheChatTemplateRefusesIsShown() throws Exception {
        Path template = Files.writeString(
                folder.resolve("strict.jinja"),
                "{% for message in messages %}{% if message.content == 'mutiny' %}{{ raise_exception('no mutiny') }}"
                        + "{% endif %}{{ message.role }}: {{ message.content }}\n{% endfor %}");
        Dataset<Row> rows = session.sql("select array(named_struct('role', 'user', 'content', said),"
                + " named_struct('role', 'assistant', 'content', 'aye')) as messages"
                + " from values ('hello'), ('mutiny') as t(said)");
        QLoraEstimator estimator = fits.estimator("refused").option("chatTemplate", template.toString());

        assertThatThrownBy(() -> estimator.fit(rows))
                .isInstanceOf(BadInputException.class)
                .hasMessageStartingWith("Cannot fit: expected training records, found a row that is none:"
                        + " {\"messages\":[{\"role\":\"user\",\"content\":\"mutiny\"}")
                .hasMessageContaining("no mutiny")
                .hasMessageEndingWith("Drop such rows, or set onBadRecord to skip");
    }

    @Test
    void rowsThatAreNoRecordsAreLeftOutWhereThatIsAskedFor() {
        Dataset<Row> data = fits.data(session);
        Dataset<Row> withNull =
                data.union(session.createDataFrame(List.of(RowFactory.create((Object) null)), data.schema()));

        QLoraModel model =
                fits.estimator("skipped").option("onBadRecord", "skip").fit(withNull);

        assertThat(JsonValues.of(model.summary().json()))
                .extractingByKey("data", as(InstanceOfAssertFactories.MAP))
                .containsEntry("bad_records", 1);
    }

    @Test
    void wordThatIsNoneOfAParamsIsRefusedWhenItIsSet() {
        assertThatThrownBy(() -> new QLoraEstimator().setMethod("prefix"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("method");
    }

    @Test
    void rowsAnswerAndHaveALoss() {
        QLoraModel model = fits.estimator("answers").fit(fits.data(session));

        var rows = model.transform(fits.data(session).limit(3)).collectAsList();

        assertThat(rows).hasSize(3).allSatisfy(row -> {
            assertThat(row.<String>getAs("answer")).isNotBlank();
            assertThat(row.getStruct(row.fieldIndex("loss")).getLong(1)).isPositive();
        });
        assertThat(model.loads()).isEqualTo(1);
    }
}
