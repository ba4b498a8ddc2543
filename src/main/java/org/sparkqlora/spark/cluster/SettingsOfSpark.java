package org.sparkqlora.spark.cluster;

import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.SparkConf;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.input.BadInputException;

/** Numbers and sizes among Spark's settings that are read here, some of them long after Spark has started. Driver only. */
public final class SettingsOfSpark {
    public static final String MAX_RESULT_SIZE = "spark.driver.maxResultSize";
    public static final String KRYO_BUFFER = "spark.kryoserializer.buffer.max";

    private static final List<String> COUNTS =
            List.of("spark.task.cpus", "spark.executor.cores", "spark.executor.instances", ModelTasks.GPUS_OF_EXECUTOR);
    private static final Map<String, String> SIZES = Map.of(
            "spark.executor.memory", "1g", "spark.memory.offHeap.size", "0", MAX_RESULT_SIZE, "1g", KRYO_BUFFER, "64m");
    private static final List<String> SWITCHES =
            List.of("spark.dynamicAllocation.enabled", "spark.memory.offHeap.enabled", "spark.eventLog.enabled");

    private static final Pattern LOCAL = Pattern.compile("local(?:\\[(\\*|\\d+)(?:\\s*,\\s*\\d+)?])?");

    private SettingsOfSpark() {}

    /**
     * Checks them before a session starts from them.
     *
     * @throws BadInputException if one cannot be read, or if a task wants more cores than an executor has
     */
    public static void check(SparkConf conf) {
        COUNTS.forEach(key -> require(conf, key, "a whole number", () -> conf.getInt(key, 1)));
        SIZES.forEach((key, usual) -> require(conf, key, "a size such as 4g", () -> conf.getSizeAsBytes(key, usual)));
        String overhead = "spark.executor.memoryOverhead";
        require(conf, overhead, "a size such as 4g", () -> conf.getSizeAsMb(overhead, "0"));
        String share = "spark.executor.memoryOverheadFactor";
        require(conf, share, "a number such as 0.1", () -> conf.getDouble(share, 0));
        SWITCHES.forEach(key -> require(conf, key, "true or false", () -> conf.getBoolean(key, false)));
        checkTaskCores(conf);
    }

    private static void require(SparkConf conf, String key, String expected, Runnable read) {
        try {
            read.run();
        } catch (IllegalArgumentException e) {
            throw new BadInputException(
                    "Cannot start Spark: expected %s for %s, found %s".formatted(expected, key, conf.get(key)), e);
        }
    }

    /** Whether a task fits in an executor. Spark refuses the same when it starts, in words that leave open whether to try again. */
    private static void checkTaskCores(SparkConf conf) {
        int wanted = conf.getInt("spark.task.cpus", 1);
        Matcher local = LOCAL.matcher(conf.get("spark.master", ""));
        if (local.matches()) {
            requireCores(
                    wanted, coresHere(local.group(1)), "a master with at least spark.task.cpus cores", local.group());
            return;
        }

        int cores = conf.getInt("spark.executor.cores", wanted);
        requireCores(wanted, cores, "spark.executor.cores of at least spark.task.cpus", "" + cores);
    }

    private static void requireCores(int wanted, int cores, String expected, String found) {
        if (cores < wanted) {
            throw new BadInputException(
                    "Cannot run a task: expected %s, %d, found %s. Raise the one or lower the other."
                            .formatted(expected, wanted, found));
        }
    }

    private static int coresHere(@Nullable String word) {
        if (word == null) {
            return 1;
        }

        return word.equals("*") ? Runtime.getRuntime().availableProcessors() : Integer.parseInt(word);
    }
}
