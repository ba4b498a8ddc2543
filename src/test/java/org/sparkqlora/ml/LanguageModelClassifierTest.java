package org.sparkqlora.ml;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.spark.ml.Pipeline;
import org.apache.spark.ml.PipelineModel;
import org.apache.spark.ml.PipelineStage;
import org.apache.spark.ml.classification.ProbabilisticClassificationModel;
import org.apache.spark.ml.evaluation.MulticlassClassificationEvaluator;
import org.apache.spark.ml.evaluation.RegressionEvaluator;
import org.apache.spark.ml.feature.StringIndexer;
import org.apache.spark.ml.linalg.Vector;
import org.apache.spark.ml.param.DoubleParam;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.ml.tuning.CrossValidator;
import org.apache.spark.ml.tuning.CrossValidatorModel;
import org.apache.spark.ml.tuning.ParamGridBuilder;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.input.BadInputException;

class LanguageModelClassifierTest {
    private static final int TEXTS = 24;

    /** Scores of some 5: OpenBLAS rounds a row of float32 by how many pass with it. */
    private static final double ROUNDING = 1e-5;

    private static final double PROBABILITY_TOLERANCE = 1e-12;

    @TempDir
    private static Path folder;

    private static SparkSession session;
    private static PirateFits fits;
    private static Dataset<Row> texts;

    @BeforeAll
    static void start() throws IOException {
        session = PirateFits.session();
        fits = PirateFits.in(folder);
        List<Row> rows = IntStream.range(0, TEXTS)
                .mapToObj(i -> RowFactory.create(
                        "What does the %s say?".formatted(i % 2 == 0 ? "owl" : "crow"),
                        (double) (i % 2),
                        i % 2 == 0 ? "hoot" : "caw"))
                .toList();
        texts = session.createDataFrame(
                        rows,
                        new StructType()
                                .add("features", DataTypes.StringType)
                                .add("label", DataTypes.DoubleType)
                                .add("sound", DataTypes.StringType))
                .repartition(2); // a local relation is read by the driver alone
    }

    @AfterAll
    static void stop() {
        session.stop();
    }

    private static LanguageModelClassifier classifier(String output) {
        return new LanguageModelClassifier()
                .setModel(fits.runs().model())
                .setOutput(folder.resolve(output).toString())
                .option("modelCache", fits.runs().cache().toString())
                .option("precision", "fp32")
                .option("batchSize", 4)
                .option("shards", 2)
                .option("maxSteps", 24)
                .option("warmupRatio", 0)
                .option("sequenceLength", 32)
                .option("learningRate", 0.005);
    }

    private static double accuracy(Dataset<Row> predicted) {
        return new MulticlassClassificationEvaluator().setMetricName("accuracy").evaluate(predicted);
    }

    @Test
    @Tag("spark-line")
    void aFitTellsClassesAsMllibDoes() {
        LanguageModelClassificationModel model = classifier("fit").fit(texts);
        Dataset<Row> predicted = model.transform(texts).cache();

        assertThat(model).isInstanceOf(ProbabilisticClassificationModel.class);
        assertThat(model.numClasses()).isEqualTo(2);
        assertThat(model.labels()).containsExactly("0", "1");
        assertThat(model.summary().steps()).isEqualTo(24);
        assertThat(accuracy(predicted)).isEqualTo(1);
        Row first = predicted.first();
        Vector raw = first.getAs("rawPrediction");
        Vector probability = first.getAs("probability");
        double expected = 1 / (1 + Math.exp(raw.apply(1) - raw.apply(0)));
        assertThat(probability.apply(0)).isCloseTo(expected, within(PROBABILITY_TOLERANCE));
        Dataset<Row> none = texts.limit(1).selectExpr("cast(null as string) as features", "label");
        assertThat(model.transform(none).first())
                .isEqualTo(RowFactory.create(null, first.getDouble(1), null, null, null));
        assertThatThrownBy(() -> model.transform(texts.select("label")))
                .isInstanceOf(BadInputException.class)
                .hasMessageStartingWith("Cannot transform: ")
                .hasMessageContaining("features");
        assertThat(model.predict(first.getAs("features"))).isEqualTo(first.<Double>getAs("prediction"));
        for (Row row : predicted.collectAsList()) { // texts that pass together, beside each alone
            assertThat(model.predictRaw(row.getAs("features")).toArray())
                    .containsExactly(row.<Vector>getAs("rawPrediction").toArray(), within(ROUNDING));
        }
    }

    @Test
    void aPipelineIsStoredWithTheNamesOfClasses() throws IOException {
        Pipeline pipeline = new Pipeline().setStages(new PipelineStage[] {
            new StringIndexer().setInputCol("sound").setOutputCol("index"),
            classifier("pipeline").setLabelCol("index").setProbabilityCol("p")
        });
        PipelineModel fitted = pipeline.fit(texts);
        String path = folder.resolve("stored").toString();
        fitted.write().overwrite().save(path);

        PipelineModel loaded = PipelineModel.load(path);

        LanguageModelClassificationModel model = (LanguageModelClassificationModel) loaded.stages()[1];
        assertThat(model.labels()).containsExactlyInAnyOrder("hoot", "caw");
        assertThat(model.getProbabilityCol()).isEqualTo("p");
        assertThat(loaded.transform(texts).select("p").collectAsList())
                .isEqualTo(fitted.transform(texts).select("p").collectAsList());
        assertThat(loaded.transform(texts).filter("prediction != index").count())
                .isZero();
    }

    @Test
    void aCrossValidatorChoosesTheBetterRate() {
        LanguageModelClassifier classifier = classifier("validated").option("maxSteps", 8);
        ParamMap[] rates = new ParamGridBuilder()
                .addGrid((DoubleParam) classifier.getParam("learningRate"), new double[] {1e-9, 0.005})
                .build();
        CrossValidatorModel chosen = new CrossValidator()
                .setEstimator(classifier)
                .setEstimatorParamMaps(rates)
                .setEvaluator(new MulticlassClassificationEvaluator().setMetricName("logLoss"))
                .setNumFolds(2)
                .setSeed(1)
                .fit(texts);

        assertThat(chosen.avgMetrics()[1]).isLessThan(chosen.avgMetrics()[0]);
        assertThat(accuracy(chosen.transform(texts))).isEqualTo(1);
    }

    @Test
    void aRegressorTellsNumbers() throws IOException {
        LanguageModelRegressor regressor = new LanguageModelRegressor()
                .setModel(fits.runs().model())
                .setOutput(folder.resolve("numbers").toString())
                .option("modelCache", fits.runs().cache().toString())
                .option("precision", "fp32")
                .option("batchSize", 4)
                .option("shards", 2)
                .option("maxSteps", 24)
                .option("warmupRatio", 0)
                .option("learningRate", 0.005);
        LanguageModelRegressionModel model = regressor.fit(texts);
        String path = folder.resolve("regression").toString();
        model.write().save(path);

        double error = new RegressionEvaluator()
                .setMetricName("mae")
                .evaluate(LanguageModelRegressionModel.load(path).transform(texts));

        assertThat(error).isLessThan(0.2);
    }

    @Test
    void whatIsNoClassIsRefusedBeforeWork() {
        LanguageModelClassifier classifier = classifier("refused");

        assertThatThrownBy(() -> classifier.fit(texts.selectExpr("features", "label - 1 as label")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("labelCol: expected whole numbers from 0 to 999 in column label, found 12 rows");
        assertThatThrownBy(() -> classifier.fit(texts.limit(0)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("Cannot fit: expected rows to train on, found none");
        assertThatThrownBy(() -> classifier.fit(texts.select("features")))
                .isInstanceOf(BadInputException.class)
                .hasMessageStartingWith("Cannot fit: ")
                .hasMessageContaining("label");
        assertThatThrownBy(() -> new LanguageModelRegressor().fit(texts.selectExpr("features", "sound as label")))
                .isInstanceOf(BadInputException.class)
                .hasMessageStartingWith("Cannot fit: ")
                .hasMessageContaining("label");
        assertThatThrownBy(() -> classifier.fit(texts.selectExpr("label as features", "label")))
                .hasMessageContaining("features")
                .hasMessageContaining("string");
        assertThat(folder.resolve("refused")).doesNotExist();
    }
}
