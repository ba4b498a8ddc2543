package org.sparkqlora.spark.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.sparkqlora.spark.job.Clusters;

@Timeout(600)
class FirstExecutorTest {
    private static final String NO_EXECUTORS = "local-cluster[0,1,1024]";

    private final List<String> told = new ArrayList<>();

    @Test
    void aClusterThatGivesNoneIsGivenUp() {
        try (JavaSparkContext context = Clusters.start(NO_EXECUTORS)) {
            assertThatThrownBy(() -> new FirstExecutor(context, told::add).await(Duration.ofSeconds(2)))
                    .isInstanceOf(FirstExecutor.NoExecutorException.class)
                    .hasMessage(
                            "Failed to start: expected an executor of %s within 2 s, found none. Is its queue full, or does an executor ask for more than a node has? --executor-timeout sets how long to wait.",
                            NO_EXECUTORS);
        }

        assertThat(told).containsExactly("waiting for the first executor of %s, at most 2 s".formatted(NO_EXECUTORS));
    }

    @Test
    void aClusterThatGivesOneGoesOnInSilence() {
        try (JavaSparkContext context = Clusters.start("local-cluster[1,1,1024]")) {
            new FirstExecutor(context, told::add).await(Duration.ofMinutes(2));
        }

        assertThat(told).filteredOn(line -> !line.startsWith("waiting")).isEmpty();
    }

    @Test
    void thisProcessIsItsOwnExecutor() {
        try (JavaSparkContext context = Clusters.start(Clusters.ONE_SLOT)) {
            new FirstExecutor(context, told::add).await(Duration.ofNanos(1));
        }

        assertThat(told).isEmpty();
    }
}
