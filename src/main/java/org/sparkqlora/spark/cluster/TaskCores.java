package org.sparkqlora.spark.cluster;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.SparkConf;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.input.BadInputException;

/** Whether a task fits in an executor. Spark refuses the same when it starts, in words that leave open whether to try again. */
public final class TaskCores {
    private static final Pattern LOCAL = Pattern.compile("local(?:\\[(\\*|\\d+)(?:\\s*,\\s*\\d+)?])?");

    private TaskCores() {}

    /**
     * Checks settings before a session starts from them.
     *
     * @throws IllegalArgumentException if a task wants more cores than an executor has
     */
    public static void check(SparkConf conf) {
        int wanted = conf.getInt("spark.task.cpus", 1);
        Matcher local = LOCAL.matcher(conf.get("spark.master", ""));
        if (local.matches()) {
            require(wanted, coresHere(local.group(1)), "a master with at least spark.task.cpus cores", local.group());
            return;
        }

        int cores = conf.getInt("spark.executor.cores", wanted);
        require(wanted, cores, "spark.executor.cores of at least spark.task.cpus", "" + cores);
    }

    private static void require(int wanted, int cores, String expected, String found) {
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
