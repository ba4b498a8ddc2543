package org.sparkqlora.ml;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchEvent;
import java.nio.file.WatchService;
import java.util.List;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.spark.ml.Pipeline;
import org.apache.spark.ml.PipelineModel;
import org.apache.spark.ml.PipelineStage;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.ml.tuning.CrossValidator;
import org.apache.spark.ml.tuning.CrossValidatorModel;
import org.apache.spark.ml.tuning.ParamGridBuilder;
import org.apache.spark.ml.tuning.TrainValidationSplit;
import org.apache.spark.ml.tuning.TrainValidationSplitModel;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SweepTest {
    private static final double LEARNS = 2e-3;

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
    void trialsShareTheQuantisedBaseAndTheRowsAndTheBestIsFound() throws Exception {
        QLoraEstimator estimator = fits.estimator("sweep").setMaxSteps(8).setAlpha(4);
        ParamMap[] trials = new ParamGridBuilder()
                .addGrid(estimator.learningRate(), new double[] {1e-9, LEARNS})
                .addGrid(estimator.rank(), new int[] {2, 4})
                .build();
        Files.createDirectories(fits.runs().cache());
        try (WatchService watch = folder.getFileSystem().newWatchService()) {
            fits.runs().cache().register(watch, StandardWatchEventKinds.ENTRY_CREATE);

            TrainValidationSplitModel best = new TrainValidationSplit()
                    .setEstimator(new Pipeline().setStages(new PipelineStage[] {estimator}))
                    .setEstimatorParamMaps(trials)
                    .setEvaluator(new PerplexityEvaluator())
                    .setTrainRatio(0.75)
                    .setSeed(3)
                    .fit(fits.data(session));

            assertThat(quantised(watch)).hasSize(1);
            double[] perplexities = best.validationMetrics();
            assertThat(trials).hasSize(4);
            assertThat(ofRate(1e-9, trials, perplexities, estimator).min().orElseThrow())
                    .isGreaterThan(ofRate(LEARNS, trials, perplexities, estimator)
                                    .max()
                                    .orElseThrow()
                            + 0.01);
            QLoraModel model = (QLoraModel) ((PipelineModel) best.bestModel()).stages()[0];
            assertThat(((QLoraEstimator) model.parent()).getLearningRate()).isEqualTo(LEARNS);
        }

        assertThat(below("sweep/prepared")).hasSize(2); // for the trials, and for the last fit on all rows
        assertThat(below("sweep")).filteredOn(name -> name.startsWith("run-")).hasSize(5);
    }

    @Test
    void foldsCompareMethodsTwoFitsAtATime() {
        QLoraEstimator estimator = fits.estimator("folds")
                .option("modelCache", folder.resolve("folds-cache").toString())
                .setMaxSteps(2)
                .setLearningRate(LEARNS);
        ParamMap[] trials = Stream.of("lora", "qlora")
                .map(method -> new ParamMap().put(estimator.method(), method))
                .toArray(ParamMap[]::new);

        CrossValidatorModel best = new CrossValidator()
                .setEstimator(estimator)
                .setEstimatorParamMaps(trials)
                .setEvaluator(new PerplexityEvaluator())
                .setNumFolds(2)
                .setSeed(3)
                .setParallelism(2)
                .fit(fits.data(session));

        double[] perplexities = best.avgMetrics();
        assertThat(perplexities[0]).isNotEqualTo(perplexities[1]).isGreaterThan(1);
        QLoraModel model = (QLoraModel) best.bestModel();
        assertThat(((QLoraEstimator) model.parent()).getMethod())
                .isEqualTo(perplexities[0] < perplexities[1] ? "lora" : "qlora");
        assertThat(below("folds")).filteredOn(name -> name.startsWith("run-")).hasSize(5);
    }

    /** The grid comes in an order of Spark's own, by hash codes. */
    private static DoubleStream ofRate(double rate, ParamMap[] trials, double[] metrics, QLoraEstimator estimator) {
        return IntStream.range(0, trials.length)
                .filter(i -> trials[i].get(estimator.learningRate()).get().equals(rate))
                .mapToDouble(i -> metrics[i]);
    }

    private static List<String> quantised(WatchService watch) {
        return Stream.of(watch.poll())
                .flatMap(key -> key.pollEvents().stream())
                .map(WatchEvent::context)
                .map(String::valueOf)
                .filter(name -> name.contains(".tmp-")) // each writer of a copy begins with a folder of its own
                .toList();
    }

    private static List<String> below(String path) {
        try (Stream<Path> inside = Files.list(folder.resolve(path))) {
            return inside.map(file -> file.getFileName().toString()).toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
