package org.sparkqlora.spark.job;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.apache.hadoop.util.ShutdownHookManager;
import org.apache.spark.SparkEnv;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.Function;
import org.junit.jupiter.api.Test;
import org.sparkqlora.spark.cluster.FaultLog;

/** A process that cannot use its GPU any more ends, and takes few failures of a task with it. */
abstract class LostGpuContract {
    /** Of the attempt that lost the GPU, and of one that Spark may have sent back to its process. Spark gives up after four. */
    private static final int MOST_FAILURES = 2;

    /** Long enough for more failures than Spark allows. */
    private static final Duration SLOW_END = Duration.ofSeconds(3);

    /** Hooks of a higher number run first. */
    private static final int BEFORE_SPARK = 1000;

    /** A task that loses the GPU in its first attempt, and in any other one there finds it lost; tells the executor of one elsewhere. */
    abstract Function<Integer, String> task();

    /** Once a process ends, Spark does not count what fails there, however often it sends tasks back. */
    @Test
    void aTaskWhoseGpuIsLostEndsItsExecutorAndRunsInTheNextHoweverSlowThatEndIs() {
        try (JavaSparkContext cluster = Clusters.start("local-cluster[1,1,1024]");
                FaultLog faults = FaultLog.listen(cluster, line -> {})) {
            List<String> ended = cluster.parallelize(List.of(1), 1).map(task()).collect();

            assertThat(ended).singleElement().asString().matches("[1-9][0-9]*");
            assertThat(faults.failedTasks()).isBetween(1, MOST_FAILURES);
        }
    }

    /** Whether this attempt is the first, whose process then takes its time to end. Runs in a task. */
    static boolean losesTheGpu() {
        boolean first = TaskContext.get().attemptNumber() == 0;
        if (first) {
            ShutdownHookManager.get().addShutdownHook(LostGpuContract::holdUp, BEFORE_SPARK);
        }

        return first;
    }

    /** Of this process. */
    static String executor() {
        return SparkEnv.get().executorId();
    }

    /** Spark takes tasks until its own hook runs. */
    private static void holdUp() {
        LockSupport.parkNanos(SLOW_END.toNanos());
    }
}
