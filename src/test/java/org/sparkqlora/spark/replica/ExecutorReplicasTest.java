package org.sparkqlora.spark.replica;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import org.apache.spark.SparkContext;
import org.apache.spark.SparkEnv;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.storage.BlockManager;
import org.apache.spark.storage.BroadcastBlockId;
import org.junit.jupiter.api.Test;
import org.sparkqlora.spark.blocks.BlockMemory;
import org.sparkqlora.spark.blocks.ExecutorBlocks;
import org.sparkqlora.spark.job.Clusters;
import org.sparkqlora.train.BigramModel;
import org.sparkqlora.train.BigramSource;
import org.sparkqlora.train.GradientModel;
import org.sparkqlora.train.ModelSource;
import org.sparkqlora.train.TrainFixture;
import org.sparkqlora.train.TrainPlan;

class ExecutorReplicasTest {
    private static final int BYTES = 8;

    /** More than a word takes, less than all else that is broadcast. */
    private static final long WORD = 200;

    private final TrainPlan plan = TrainFixture.plan(TrainFixture.batches(2, 4, 10));

    /** As where the step that should leave it is cancelled. */
    @Test
    void whatWasLeftOfAStateThatNobodyTookGoesWithTheRun() {
        Boolean ended = Clusters.on(Clusters.ONE_SLOT, context -> {
            ExecutorReplicas replicas = replicas(context, new BigramSource());
            replicas.savedByNextStep(2, version -> Optional.empty()).abandon();
            ExecutorBlocks left = replicas.request().orElseThrow().blocks();
            left.put("piece", new BlockMemory(BYTES));
            assertThat(piecesOf(left.owner())).isEqualTo(1);

            replicas.close();

            await().until(() -> piecesOf(left.owner()) == 0);
            return true;
        });
        assertThat(ended).isTrue();
    }

    @Test
    void aStateWhoseTakingIsCancelledLeavesNothingOpen() {
        Boolean ended = Clusters.on(Clusters.ONE_SLOT, context -> {
            ExecutorReplicas replicas = replicas(context, new Cancelling());
            try (ExecutorBlocks open = ExecutorBlocks.open(context)) {
                assertThat(open.owner()).isNotNegative();
                assertThat(openBlocks()).isEqualTo(1);
            }

            assertThatThrownBy(replicas::saved)
                    .isInstanceOf(CancellationException.class)
                    .hasMessageStartingWith("Spark job was cancelled: ");

            await().until(() -> openBlocks() == 0);
            replicas.close();
            return true;
        });
        assertThat(ended).isTrue();
    }

    private ExecutorReplicas replicas(JavaSparkContext context, ModelSource source) {
        return new ExecutorReplicas(
                context,
                InferenceReplicas.run(context, source),
                TrainFixture.madeByExecutors(plan, () -> TrainFixture.freshState(plan, new BigramModel())),
                2,
                version -> {
                    throw new IllegalStateException("no sum was lost");
                });
    }

    /** Cancels the job of the task that opens it. */
    private record Cancelling() implements ModelSource {
        @Override
        public String key() {
            return "cancelling";
        }

        @Override
        public Optional<String> problem(List<String> gpus) {
            return Optional.empty();
        }

        @Override
        public GradientModel open(int threads) {
            SparkContext.getOrCreate().cancelAllJobs();
            throw new IllegalStateException("cancelled");
        }
    }

    /** Broadcasts of a word alone, as {@link ExecutorBlocks#open} makes them, that nobody has closed. */
    private static int openBlocks() {
        BlockManager blocks = SparkEnv.get().blockManager();
        return blocks.getMatchingBlockIds(id -> id instanceof BroadcastBlockId broadcast
                        && broadcast.field().isEmpty()
                        && blocks.getStatus(broadcast).exists(status -> status.memSize() < WORD))
                .size();
    }

    private static int piecesOf(long owner) {
        return SparkEnv.get()
                .blockManager()
                .getMatchingBlockIds(id -> id.name().equals("broadcast_%d_piece".formatted(owner)))
                .size();
    }
}
