package org.sparkqlora.spark.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.Function;
import org.junit.jupiter.api.Test;
import org.sparkqlora.spark.job.Clusters;

class FaultLogTest {
    private static final int OUT_OF_MEMORY = 137;

    private final List<String> told = new CopyOnWriteArrayList<>();

    @Test
    void tellsTheFirstErrorOfAnExecutorAndAgainWithItsLoss() {
        try (JavaSparkContext context =
                        Clusters.start("local-cluster[1,1,1024]", Map.of("spark.task.maxFailures", "6"));
                FaultLog log = FaultLog.listen(context, told::add)) {
            List<Integer> answers =
                    context.parallelize(List.of(7), 1).map(new Stumbling()).collect();

            assertThat(answers).containsExactly(7);
            await("the listener to hear of a loss that the job got over").untilAsserted(() -> {
                assertThat(log.failedTasks()).isEqualTo(3);
                assertThat(log.lostExecutors()).isEqualTo(1);
            });
        }

        assertThat(told).hasSize(2);
        assertThat(told.get(0))
                .contains("a task failed on executor 0", "it runs again: IllegalStateException: the first of all");
        assertThat(told.get(1))
                .contains("lost executor 0", "killed, most often for memory: raise spark.executor.memoryOverhead")
                .endsWith("its first error was IllegalStateException: the first of all");
    }

    @Test
    void anErrorOfNoneIsNoFault() {
        try (JavaSparkContext context = Clusters.start(Clusters.TWO_SLOTS);
                FaultLog log = FaultLog.listen(context, told::add)) {
            context.parallelize(List.of(1, 2), 2).collect();

            assertThat(log.failedTasks() + log.lostExecutors()).isZero();
        }

        assertThat(told).isEmpty();
    }

    /** Throws, throws something else, ends its process, works. */
    private static final class Stumbling implements Function<Integer, Integer> {
        private static final long serialVersionUID = 1L;

        @Override
        public Integer call(Integer value) {
            return switch (TaskContext.get().attemptNumber()) {
                case 0 -> throw new IllegalStateException("the first of all");
                case 1 -> throw new IllegalStateException("a consequence");
                case 2 -> {
                    Runtime.getRuntime().halt(OUT_OF_MEMORY);
                    yield 0;
                }
                default -> value;
            };
        }
    }
}
