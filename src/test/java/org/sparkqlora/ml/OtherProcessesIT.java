package org.sparkqlora.ml;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.spark.ml.Pipeline;
import org.apache.spark.ml.PipelineModel;
import org.apache.spark.ml.PipelineStage;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.spark.job.Clusters;

class OtherProcessesIT {
    private static final int ASKED = 6;
    private static final int EXECUTORS = 2;

    @TempDir
    private static Path folder;

    private static Path stored;
    private static Path data;
    private static List<String> answers;

    @BeforeAll
    static void fit() throws Exception {
        stored = folder.resolve("pipeline");
        data = folder.resolve("asked.jsonl");
        PirateFits fits = PirateFits.in(folder);
        Files.write(data, Files.readAllLines(fits.runs().data()).subList(0, ASKED));
        try (SparkSession session = PirateFits.session()) {
            PipelineModel pipeline = new Pipeline()
                    .setStages(new PipelineStage[] {fits.estimator("fits")})
                    .fit(fits.data(session));
            pipeline.write().save(stored.toString());
            answers = answers(pipeline.transform(session.read().json(data.toString())));
        }
    }

    @Test
    void storedPipelineAnswersTheSameInAnotherProcess() throws Exception {
        assertThat(answers).hasSize(ASKED);
        assertThat(StoredPipeline.answersOfAnotherProcess(stored, data)).isEqualTo(answers);
    }

    @Test
    void everyExecutorLoadsTheBaseOnce() throws IOException {
        try (SparkSession session = SparkSession.builder()
                .config(Clusters.configuration(Clusters.TWO_EXECUTORS)
                        .set(
                                "spark.kryo.registrationRequired",
                                "false")) // Spark's own classes for tables are not ours to register
                .getOrCreate()) {
            QLoraModel model =
                    (QLoraModel) PipelineModel.load(stored.toString()).stages()[0];
            Dataset<Row> asked = session.read().json(data.toString()).repartition(ASKED);

            List<String> first = answers(model.transform(asked));
            List<String> second = answers(model.transform(asked));

            assertThat(first).containsExactlyInAnyOrderElementsOf(answers);
            assertThat(second).containsExactlyInAnyOrderElementsOf(answers);
            assertThat(model.loads()).isBetween(1L, (long) EXECUTORS);
        }
    }

    private static List<String> answers(Dataset<Row> table) {
        return table.select("answer").collectAsList().stream()
                .map(row -> row.getString(0))
                .toList();
    }
}
