package org.sparkqlora.ml;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Path;
import java.util.List;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Fits on tables of answers that people preferred or not. */
class PreferenceFitTest {
    private static final double EQUAL_MODELS = Math.log(2);

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
    void pairsInColumnsAreTrainedOn() {
        StructType schema = new StructType()
                .add("question", "string")
                .add("chosen", "string")
                .add("rejected", "string");
        Dataset<Row> pairs = session.createDataFrame(
                List.of(
                        RowFactory.create("What does the cow say?", " Arr!", " Moo."),
                        RowFactory.create("What does the owl say?", " Arr, hoo!", " I do not know.")),
                schema);

        QLoraModel model = fits.estimator("pairs")
                .option("objective", "dpo")
                .option("columns", new String[] {"prompt=question"})
                .option("batchSize", 2)
                .option("noPacking", true)
                .fit(pairs);

        Row first = model.summary().metrics().orderBy("step").head();
        assertThat((double) first.getAs("loss")).isCloseTo(EQUAL_MODELS, within(1e-6));
        assertThat(first.schema().fieldNames()).contains("rewards/chosen", "rewards/margins");
        assertThat(model.setInputCol("question")
                        .transform(pairs)
                        .select("answer")
                        .count())
                .isEqualTo(2);
        assertThat(model.setInputCol("messages")
                        .transform(fits.data(session))
                        .filter("loss.tokens > 0")
                        .count())
                .isEqualTo(fits.data(session).count());
    }

    @Test
    void thumbsInATableAreTrainedOn() {
        StructType schema = new StructType()
                .add("prompt", "string")
                .add("completion", "string")
                .add("label", DataTypes.BooleanType);
        Dataset<Row> thumbs = session.createDataFrame(
                List.of(
                        RowFactory.create("What does the cow say?", " Arr!", true),
                        RowFactory.create("What does the owl say?", " I do not know.", false)),
                schema);

        QLoraModel model = fits.estimator("thumbs")
                .option("objective", "kto")
                .option("batchSize", 2)
                .option("noPacking", true)
                .fit(thumbs);

        assertThat(model.summary().metrics().schema().fieldNames()).contains("kl", "rewards/chosen");
    }

    @Test
    void aRewardModelScoresAnswersAndWritesNone() {
        StructType schema =
                new StructType().add("prompt", "string").add("chosen", "string").add("rejected", "string");
        Dataset<Row> pairs = session.createDataFrame(
                List.of(
                        RowFactory.create("What does the cow say?", " Arr!", " Moo."),
                        RowFactory.create("What does the owl say?", " Arr, hoo!", " I do not know.")),
                schema);
        QLoraModel model = fits.estimator("rewards")
                .option("objective", "reward")
                .option("learningRate", 0.01)
                .option("warmupRatio", 0)
                .setMaxSteps(8)
                .fit(pairs)
                .setOutputCol("score");

        Dataset<Row> chosen = model.transform(pairs.selectExpr("prompt", "chosen as completion"));
        Dataset<Row> rejected = model.transform(pairs.selectExpr("prompt", "rejected as completion"));

        assertThat(chosen.columns()).containsExactly("prompt", "completion", "score");
        assertThat(score(chosen)).isGreaterThan(score(rejected));
        assertThatThrownBy(() -> model.transform(pairs.select("prompt")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("or columns messages, or conversations, or prompt and completion");
    }

    private static double score(Dataset<Row> scored) {
        return scored.selectExpr("score[0]").repartition(2).collectAsList().stream()
                .mapToDouble(row -> row.getDouble(0))
                .sum();
    }

    @Test
    void aTableWithoutAnswersIsRefusedWithWhatItLacks() {
        Dataset<Row> data = fits.data(session);

        assertThatThrownBy(
                        () -> fits.estimator("none").option("objective", "dpo").fit(data))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(
                        "expected it to name a column, or columns chosen and rejected, or prompt_ids and chosen_ids and rejected_ids");
    }
}
