package org.sparkqlora.spark.check;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.sparkqlora.spark.cluster.ClusterSettings;
import org.sparkqlora.spark.cluster.ModelTasks;
import org.sparkqlora.spark.cluster.SettingsOfSpark;
import org.sparkqlora.spark.exchange.BigDl;
import org.sparkqlora.spark.exchange.ExchangeChoice;
import org.sparkqlora.spark.exchange.ExchangeKind;
import org.sparkqlora.spark.kryo.TrainRegistrator;

/** Checks of a run that need Spark's settings alone. */
final class SettingsCheck {
    private static final String SERIALIZER = "spark.serializer";
    private static final String KRYO = "KryoSerializer";
    private static final String KRYO_REGISTRATOR = "spark.kryo.registrator";

    private SettingsCheck() {}

    static List<String> problems(ClusterSettings settings, ExchangeChoice exchange) {
        List<String> problems = new ArrayList<>();
        if (exchange.kind() == ExchangeKind.BIGDL) {
            problems.addAll(BigDl.require().exchangeProblems(exchange.size(), settings.conf()));
        }

        checkResultSize(exchange, problems);
        if (isKryo(settings)) {
            checkKryo(settings, exchange.bytesOfResult(), problems);
        }

        return problems;
    }

    static List<String> advice(ClusterSettings settings, SlotUse use) {
        List<String> advice = new ArrayList<>();
        if (!settings.isLocal()) {
            use.advice().ifPresent(advice::add);
        }

        if (settings.leavesGpus()) {
            advice.add(
                    "The GPUs that executors hold (%s) stay idle: set %s to 1, or, without dynamic allocation, spark.executor.cores to at least one a GPU."
                            .formatted(ModelTasks.GPUS_OF_EXECUTOR, ModelTasks.GPUS_OF_TASK));
        }

        if (!isKryo(settings) && !settings.isLocal()) {
            advice.add(
                    "Java's serialisation copies gradients several times: set %s to org.apache.spark.serializer.%s and %s to %s."
                            .formatted(SERIALIZER, KRYO, KRYO_REGISTRATOR, TrainRegistrator.class.getName()));
        }

        return advice;
    }

    private static void checkResultSize(ExchangeChoice exchange, List<String> problems) {
        long needed = exchange.bytesOfJob();
        long allowed = exchange.resultLimit();
        if (needed > allowed) {
            problems.add(String.format(
                    Locale.ROOT,
                    "Cannot exchange gradients by %s, %d bytes at once: %s is %d. Raise it, or take --exchange auto.",
                    exchange.kind().optionName(),
                    needed,
                    SettingsOfSpark.MAX_RESULT_SIZE,
                    allowed));
        }
    }

    private static void checkKryo(ClusterSettings settings, long result, List<String> problems) {
        String registrators = settings.conf().get(KRYO_REGISTRATOR, "");
        if (!registrators.contains(TrainRegistrator.class.getName())) {
            problems.add("Cannot use Kryo: expected %s to hold %s, found '%s'"
                    .formatted(KRYO_REGISTRATOR, TrainRegistrator.class.getName(), registrators));
        }

        long allowed = settings.conf().getSizeAsBytes(SettingsOfSpark.KRYO_BUFFER, "64m");
        if (result > allowed) {
            problems.add(String.format(
                    Locale.ROOT,
                    "Cannot send a result of %d bytes to the driver: %s is %d. Raise it (2047m is the most), or take --exchange auto.",
                    result,
                    SettingsOfSpark.KRYO_BUFFER,
                    allowed));
        }
    }

    private static boolean isKryo(ClusterSettings settings) {
        return settings.conf().get(SERIALIZER, "").endsWith(KRYO);
    }
}
