package org.sparkqlora.spark.replica;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.util.Optional;
import org.apache.spark.SparkEnv;
import org.junit.jupiter.api.Test;
import org.sparkqlora.spark.blocks.BlockMemory;
import org.sparkqlora.spark.blocks.ExecutorBlocks;
import org.sparkqlora.spark.job.Clusters;
import org.sparkqlora.train.BigramModel;
import org.sparkqlora.train.BigramSource;
import org.sparkqlora.train.TrainFixture;
import org.sparkqlora.train.TrainPlan;

class ExecutorReplicasTest {
    private static final int BYTES = 8;

    private final TrainPlan plan = TrainFixture.plan(TrainFixture.batches(2, 4, 10));

    /** As where the step that should leave it is cancelled. */
    @Test
    void whatWasLeftOfAStateThatNobodyTookGoesWithTheRun() {
        Boolean ended = Clusters.on(Clusters.ONE_SLOT, context -> {
            ExecutorReplicas replicas = new ExecutorReplicas(
                    context,
                    InferenceReplicas.run(context, new BigramSource(), ""),
                    TrainFixture.madeByExecutors(plan, () -> TrainFixture.freshState(plan, new BigramModel())),
                    2,
                    version -> {
                        throw new IllegalStateException("no sum was lost");
                    });
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

    private static int piecesOf(long owner) {
        return SparkEnv.get()
                .blockManager()
                .getMatchingBlockIds(id -> id.name().equals("broadcast_%d_piece".formatted(owner)))
                .size();
    }
}
