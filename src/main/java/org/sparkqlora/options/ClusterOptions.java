package org.sparkqlora.options;

import java.time.Duration;
import org.apache.spark.api.java.JavaSparkContext;
import org.sparkqlora.spark.cluster.FirstExecutor;
import picocli.CommandLine.Option;

/** The Spark session of a command. */
@OptionGroup.In(OptionGroup.CLUSTER)
public final class ClusterOptions {
    @Option(
            names = "--executor-timeout",
            defaultValue = "30",
            paramLabel = "MINUTES",
            description = "How long to wait for the first executor; 0: without limit. Default: ${DEFAULT-VALUE}.")
    int executorMinutes = 30;

    public void check(Problems problems) {
        problems.requireAtLeast("--executor-timeout", 0, executorMinutes);
    }

    /** The session of {@code command}, once it has an executor. */
    public JavaSparkContext context(String command, Console console) {
        JavaSparkContext context = Sessions.context(command);
        new FirstExecutor(context, line -> console.note("%s", line)).await(Duration.ofMinutes(executorMinutes));
        return context;
    }
}
