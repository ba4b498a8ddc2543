package org.sparkqlora.ml;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Properties;
import org.apache.spark.SparkConf;
import org.apache.spark.ml.Pipeline;
import org.apache.spark.ml.PipelineModel;
import org.apache.spark.ml.PipelineStage;
import org.apache.spark.ml.classification.LogisticRegression;
import org.apache.spark.ml.clustering.KMeans;
import org.apache.spark.ml.feature.StringIndexer;
import org.apache.spark.ml.feature.VectorAssembler;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.streaming.DataStreamWriter;
import org.apache.spark.sql.streaming.StreamingQuery;
import org.apache.spark.sql.streaming.Trigger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Spark's own features run in a session with the settings of {@code spark-conf/local.conf}, beside our stages. */
@Tag("spark-line")
class OrdinarySparkTest {
    private static final int ROWS = 12;
    private static final String TURNS = "messages";

    @TempDir
    private static Path folder;

    private static SparkSession session;
    private static PirateFits fits;

    @BeforeAll
    static void start() throws IOException {
        SparkConf shipped = shipped();
        session = SparkSession.builder().config(shipped).getOrCreate();
        fits = PirateFits.in(folder);
    }

    @AfterAll
    static void stop() {
        session.stop();
    }

    @Test
    void ourEstimatorStandsBetweenAnIndexerAndARegressionInAPipeline() {
        Dataset<Row> labelled = fits.data(session)
                .limit(ROWS)
                .withColumn(
                        "topic",
                        functions.length(functions.col(TURNS).getItem(0).getField("content")))
                .withColumn(
                        "kind",
                        functions
                                .when(functions.col("topic").mod(2).equalTo(0), "even")
                                .otherwise("odd"));
        Pipeline pipeline = new Pipeline().setStages(new PipelineStage[] {
            new StringIndexer().setInputCol("kind").setOutputCol("label"),
            fits.estimator("pipeline"),
            new VectorAssembler().setInputCols(new String[] {"topic"}).setOutputCol("features"),
            new LogisticRegression().setMaxIter(3)
        });

        PipelineModel fitted = pipeline.fit(labelled);

        List<Row> rows = fitted.transform(labelled)
                .select("answer", "prediction")
                .limit(2)
                .collectAsList();
        assertThat(rows).hasSize(2).allSatisfy(row -> {
            assertThat(row.getString(0)).isNotBlank();
            assertThat(row.getDouble(1)).isBetween(0.0, 1.0);
        });
    }

    @Test
    void rowsAreClustered() {
        Dataset<Row> points = new VectorAssembler()
                .setInputCols(new String[] {"id"})
                .setOutputCol("features")
                .transform(session.range(ROWS).toDF());

        assertThat(new KMeans().setK(2).setSeed(1).fit(points).clusterCenters()).hasSize(2);
    }

    @Test
    void streamsEndInFilesOnTheConsoleAndInMemory() throws Exception {
        String files = folder.resolve("stream").toString();
        drain(stream().format("parquet").option("path", files), "parquet");
        drain(stream().format("console"), "console");
        drain(stream().format("memory").queryName("remembered"), "memory");

        assertThat(session.read().parquet(files).count()).isEqualTo(lines());
        assertThat(session.table("remembered").count()).isEqualTo(lines());
    }

    private static DataStreamWriter<Row> stream() {
        return session.readStream()
                .schema(fits.data(session).schema())
                .option("pathGlobFilter", "data.jsonl")
                .json(fits.runs().folder().toString())
                .writeStream()
                .trigger(Trigger.AvailableNow());
    }

    private static void drain(DataStreamWriter<Row> writer, String name) throws Exception {
        StreamingQuery query = writer.option(
                        "checkpointLocation", folder.resolve("progress-" + name).toString())
                .start();
        query.awaitTermination();
    }

    private static long lines() throws IOException {
        return Files.readAllLines(fits.runs().data()).size();
    }

    /** The settings that spark-submit reads from the file, without those that count before a JVM starts. */
    private static SparkConf shipped() throws IOException {
        Properties settings = new Properties();
        try (Reader reader = Files.newBufferedReader(Path.of("spark-conf", "local.conf"), StandardCharsets.UTF_8)) {
            settings.load(reader);
        }

        SparkConf conf = new SparkConf()
                .setMaster("local[2]")
                .setAppName("spark-qlora tests")
                .set("spark.ui.enabled", "false")
                .set("spark.sql.shuffle.partitions", "2");
        settings.stringPropertyNames().forEach(name -> conf.set(name, settings.getProperty(name)));
        return conf;
    }
}
