package org.sparkqlora.ml;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.sparkqlora.cli.TrainRuns;

/**
 * Fits on the demo's model and data, with the settings of {@link TrainRuns}, in a session as a notebook has it: Spark's defaults.
 *
 * @param runs the same by the command
 */
record PirateFits(TrainRuns runs) {
    static PirateFits in(Path folder) {
        try {
            return new PirateFits(TrainRuns.in(folder));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static SparkSession session() {
        return SparkSession.builder()
                .master("local[2]")
                .appName("spark-qlora tests")
                .config("spark.ui.enabled", "false")
                .config("spark.sql.shuffle.partitions", "2")
                .getOrCreate();
    }

    /** Conversations. */
    Dataset<Row> data(SparkSession session) {
        return session.read().json(runs.source());
    }

    /** Two steps, below {@code output}. */
    QLoraEstimator estimator(String output) {
        return new QLoraEstimator()
                .setModel(runs.model())
                .setOutput(runs.folder().resolve(output).toString())
                .option("modelCache", runs.cache().toString())
                .option("precision", "fp32")
                .option("shards", 2)
                .setSequenceLength(64)
                .setBatchSize(4)
                .setMaxSteps(2)
                .setMaxNewTokens(6);
    }
}
