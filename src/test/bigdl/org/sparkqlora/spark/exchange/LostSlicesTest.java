package org.sparkqlora.spark.exchange;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerJobEnd;
import org.junit.jupiter.api.Test;
import org.sparkqlora.spark.exchange.GradientExchangeContract.RandomShard;
import org.sparkqlora.spark.job.Clusters;
import org.sparkqlora.train.GradientDtype;
import org.sparkqlora.train.GradientFormat;
import org.sparkqlora.train.ShardResult;

/** Executors that die between the two jobs of a step, with the slices of their shards. */
class LostSlicesTest {
    private static final int LENGTH = 2_000_003;
    private static final int STEPS = 3;
    private static final int JOBS_OF_A_STEP = 2;

    @Test
    void theStepIsTakenAgainAndItsSumIsWhole() {
        AtomicInteger jobs = new AtomicInteger();
        try (JavaSparkContext context = Clusters.start(Clusters.TWO_EXECUTORS);
                GradientExchange exchange = BigDl.require()
                        .exchange(new GradientSize(LENGTH, 2, GradientDtype.FP32), GradientFormat.FP32)) {
            context.sc().addSparkListener(new KillAfterFirstJobs(jobs));
            for (int step = 0; step < STEPS; step++) {
                RandomShard shard = new RandomShard(step, LENGTH);
                JavaRDD<ShardResult> shards =
                        context.parallelize(List.of(0, 1), 2).map(shard);

                int[] sum = GradientExchangeContract.bits(exchange.sum(shards, step));

                assertThat(sum)
                        .isEqualTo(GradientExchangeContract.bits(
                                GradientExchangeContract.plainSum(shard, 2, GradientDtype.FP32)));
            }
        }

        assertThat(jobs.get()).isGreaterThan(STEPS * JOBS_OF_A_STEP);
    }

    /** Kills an executor as soon as its slices are stored, in the first attempt at each of the first steps. */
    private static final class KillAfterFirstJobs extends SparkListener {
        private final AtomicInteger jobs;
        private int killed;

        KillAfterFirstJobs(AtomicInteger jobs) {
            this.jobs = jobs;
        }

        @Override
        public void onJobEnd(SparkListenerJobEnd end) {
            boolean stored = jobs.getAndIncrement() % JOBS_OF_A_STEP == 0;
            if (stored && killed < STEPS && Clusters.killOneExecutor()) {
                killed++;
            }
        }
    }
}
