package org.sparkqlora.spark.prepare;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerExecutorRemoved;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.data.RecordFormat;
import org.sparkqlora.data.RecordReading;
import org.sparkqlora.spark.job.Clusters;
import org.sparkqlora.spark.prepare.PreparationOptions.OnBadRecord;
import org.sparkqlora.spark.prepare.PreparationOptions.Packing;
import org.sparkqlora.tokenizer.TemplateText;
import org.sparkqlora.tokenizer.TestTokenizers;
import org.sparkqlora.tokenizer.TrainOn;

/** Records nested so deep that reading or writing them could end a process. */
class DeepRecordsIT {
    private static final List<Integer> DEPTHS = List.of(300, 500, 700, 900, 990, 1_000, 2_000, 5_000);

    private static final String RECORD = """
            {"messages": [{"role": "user", "content": [{"type": "text", "text": "hi", "more": %s}]}, \
            {"role": "assistant", "content": "ho"}]}""";

    /** Writes the parts of a message as Llama 3's does, and as JSON. */
    private static final String TEMPLATE =
            "{% for m in messages %}<|im_start|>{{ m.content|trim }}{{ m.content|tojson }}<|im_end|>{% endfor %}";

    @Test
    @Timeout(900)
    void areCountedAsBadOnesAndNoExecutorEnds(@TempDir Path folder) throws IOException {
        List<String> lines = new ArrayList<>();
        for (int depth : DEPTHS) {
            lines.add(RECORD.formatted("[".repeat(depth) + "]".repeat(depth)));
            lines.add(RECORD.formatted("{\"a\":".repeat(depth) + "1" + "}".repeat(depth)));
            lines.add(RECORD.formatted("[]"));
        }

        Path data = Files.write(folder.resolve("deep.jsonl"), lines);
        RecordEncoders encoders = RecordEncoders.of(
                RecordReading.of(RecordFormat.MESSAGES),
                PreparationRuns.tokenizer(TestTokenizers.bytes().toString()),
                new TemplateText(TEMPLATE, "deep.jinja"),
                TrainOn.ASSISTANT,
                List.of());
        try (JavaSparkContext context = Clusters.start("local-cluster[1,1,1024]")) {
            Removals removals = new Removals();
            context.sc().addSparkListener(removals);
            PreparationCounts counts = new DataPreparation(context, null)
                    .prepare(
                            List.of(data.toString()),
                            encoders,
                            new PreparationOptions(256, Packing.PACKED, OnBadRecord.SKIP),
                            folder.resolve("rows").toString())
                    .manifest()
                    .counts();

            assertThat(counts.bad()).isEqualTo(2L * DEPTHS.size());
            assertThat(counts.examples()).isEqualTo(DEPTHS.size());
            Clusters.awaitExecutors(context, 1);
            assertThat(removals.executors).isEmpty();
        }
    }

    /** Executors that ended. */
    private static final class Removals extends SparkListener {
        private final List<String> executors = new CopyOnWriteArrayList<>();

        @Override
        public void onExecutorRemoved(SparkListenerExecutorRemoved removed) {
            executors.add(removed.executorId() + ": " + removed.reason());
        }
    }
}
