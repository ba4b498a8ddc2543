package org.sparkqlora.spark.speed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.Test;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.spark.job.Clusters;

class SpeedJobsTest {
    @Test
    void measuresEachCostOnTwoExecutors() {
        try (JavaSparkContext context = Clusters.start(Clusters.TWO_EXECUTORS)) {
            Clusters.awaitExecutors(context, 2);

            ClusterSpeed speed = new SpeedJobs(context, 2, 100).measure();

            assertThat(speed.executors()).isEqualTo(2);
            assertThat(speed.networkBytes()).isPositive().isFinite();
            assertThat(speed.writtenBytes()).isPositive().isFinite();
            assertThat(speed.addedBytes()).isPositive().isFinite();
            assertThat(speed.secondsOfBlock()).isPositive().isFinite();
            assertThat(speed.secondsOfTask()).isPositive().isFinite();
            assertThat(speed.secondsOfStage()).isPositive().isFinite();
            assertThat(speed.secondsOfMessage()).isPositive().isFinite();
        }
    }

    @Test
    void oneProcessIsNoCluster() {
        assertThatThrownBy(() -> Clusters.on(Clusters.TWO_SLOTS, context -> new SpeedJobs(context).measure()))
                .isInstanceOf(BadInputException.class)
                .hasMessage("Cannot measure a cluster: expected at least two executors on local[2], found 0");
    }

    @Test
    void oneExecutorHasNobodyToFetchFrom() {
        assertThatThrownBy(() ->
                        Clusters.on("local-cluster[1,1,1024]", context -> new SpeedJobs(context, 1, 100).measure()))
                .isInstanceOf(BadInputException.class)
                .hasMessage(
                        "Cannot measure a cluster: expected at least two executors on local-cluster[1,1,1024], found 1");
    }
}
