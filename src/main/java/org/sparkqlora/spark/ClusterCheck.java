package org.sparkqlora.spark;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.util.SerializableConfiguration;

/** Finds out in seconds what would make a run fail in an hour, all of it at once. Driver only. */
public final class ClusterCheck {
    private static final String MAX_RESULT_SIZE = "spark.driver.maxResultSize";
    private static final String SERIALIZER = "spark.serializer";
    private static final String KRYO = "KryoSerializer";
    private static final String KRYO_REGISTRATOR = "spark.kryo.registrator";
    private static final String KRYO_BUFFER = "spark.kryoserializer.buffer.max";

    /** What a gradient takes on the way besides its values, at most. */
    private static final long ENVELOPE = 1 << 16;

    private final JavaSparkContext context;
    private final SparkConf settings;

    public ClusterCheck(JavaSparkContext context) {
        this.context = context;
        this.settings = context.getConf();
    }

    /** What is missing for {@code run}; nothing when it can start. */
    public List<String> problems(TrainingRun run, long parameterCount) {
        long vector = parameterCount * Float.BYTES + ENVELOPE;
        List<String> problems = new ArrayList<>();
        checkResultSize(vector * run.plan().batches().shards(), problems);
        checkKryo(vector, problems);
        problems.addAll(executorProblems(run));
        return problems;
    }

    private void checkResultSize(long needed, List<String> problems) {
        long allowed = settings.getSizeAsBytes(MAX_RESULT_SIZE, "1g");
        if (allowed > 0 && needed > allowed) {
            problems.add(
                    "Cannot collect %d bytes of gradients a step: %s is %d. Raise it, or train with fewer --shards."
                            .formatted(needed, MAX_RESULT_SIZE, allowed));
        }
    }

    private void checkKryo(long vector, List<String> problems) {
        if (!settings.get(SERIALIZER, "").endsWith(KRYO)) {
            return;
        }

        String registrators = settings.get(KRYO_REGISTRATOR, "");
        if (!registrators.contains(TrainRegistrator.class.getName())) {
            problems.add("Cannot use Kryo: expected %s to hold %s, found '%s'"
                    .formatted(KRYO_REGISTRATOR, TrainRegistrator.class.getName(), registrators));
        }

        long allowed = settings.getSizeAsBytes(KRYO_BUFFER, "64m");
        if (vector > allowed) {
            problems.add("Cannot send a gradient of %d bytes: %s is %d. Raise it; 2047m is the most."
                    .formatted(vector, KRYO_BUFFER, allowed));
        }
    }

    private List<String> executorProblems(TrainingRun run) {
        Broadcast<SerializableConfiguration> configuration =
                context.broadcast(new SerializableConfiguration(context.hadoopConfiguration()));
        try {
            int slots = TaskSlots.available(context);
            context.setJobDescription("check: %d slots".formatted(slots));
            List<Integer> numbers = IntStream.range(0, slots).boxed().toList();
            ExecutorCheck check = new ExecutorCheck(run.model(), run.rows().folder(), configuration);
            return context.parallelize(numbers, slots).flatMap(check).collect().stream()
                    .distinct()
                    .sorted()
                    .toList();
        } finally {
            context.setJobDescription(null);
            configuration.destroy();
        }
    }
}
