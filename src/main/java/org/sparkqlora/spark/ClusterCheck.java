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
    private static final String SERIALIZER = "spark.serializer";
    private static final String KRYO = "KryoSerializer";
    private static final String KRYO_REGISTRATOR = "spark.kryo.registrator";

    private final JavaSparkContext context;
    private final SparkConf settings;

    public ClusterCheck(JavaSparkContext context) {
        this.context = context;
        this.settings = context.getConf();
    }

    /** What is missing for {@code run} with this exchange; nothing when it can start. */
    public List<String> problems(TrainingRun run, ExchangeChoice exchange) {
        List<String> problems = new ArrayList<>();
        if (exchange.kind() == ExchangeKind.BIGDL) {
            problems.addAll(BigDl.require().exchangeProblems(exchange.size(), settings));
        }

        checkResultSize(exchange, problems);
        checkKryo(exchange.bytesOfResult(), problems);
        problems.addAll(executorProblems(run));
        return problems;
    }

    private static void checkResultSize(ExchangeChoice exchange, List<String> problems) {
        long needed = exchange.bytesOfJob();
        long allowed = exchange.resultLimit();
        if (needed > allowed) {
            problems.add(
                    "Cannot exchange gradients by %s, %d bytes at once: %s is %d. Raise it, or take --exchange auto."
                            .formatted(exchange.kind().word(), needed, ExchangeChoice.MAX_RESULT_SIZE, allowed));
        }
    }

    private void checkKryo(long result, List<String> problems) {
        if (!settings.get(SERIALIZER, "").endsWith(KRYO)) {
            return;
        }

        String registrators = settings.get(KRYO_REGISTRATOR, "");
        if (!registrators.contains(TrainRegistrator.class.getName())) {
            problems.add("Cannot use Kryo: expected %s to hold %s, found '%s'"
                    .formatted(KRYO_REGISTRATOR, TrainRegistrator.class.getName(), registrators));
        }

        long allowed = settings.getSizeAsBytes(ExchangeChoice.KRYO_BUFFER, "64m");
        if (result > allowed) {
            problems.add(
                    "Cannot send a result of %d bytes to the driver: %s is %d. Raise it (2047m is the most), or take --exchange auto."
                            .formatted(result, ExchangeChoice.KRYO_BUFFER, allowed));
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
