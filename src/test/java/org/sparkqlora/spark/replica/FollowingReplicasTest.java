package org.sparkqlora.spark.replica;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.apache.spark.SparkException;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.Test;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.spark.job.Clusters;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.tensor.VectorPool;
import org.sparkqlora.train.BigramModel;
import org.sparkqlora.train.GradientModel;
import org.sparkqlora.train.Replica;
import org.sparkqlora.train.StateHome;
import org.sparkqlora.train.StateLog;
import org.sparkqlora.train.Summation;
import org.sparkqlora.train.SummedVector;
import org.sparkqlora.train.TrainFixture;
import org.sparkqlora.train.TrainPlan;
import org.sparkqlora.train.TrainState;
import org.sparkqlora.train.Update;

class FollowingReplicasTest {
    private static final SnapshotPolicy EACH_STEP = new SnapshotPolicy(1, 0);
    private static final int STEPS = 3;

    private final GradientModel model = new BigramModel();
    private final TrainPlan plan = TrainFixture.plan(TrainFixture.batches(2, 4, 10));

    @Test
    void replicaThatTakesEachStepPullsNoSnapshotButTheFirst() {
        boolean done = Clusters.on(Clusters.ONE_SLOT, context -> {
            try (FollowingReplicas driver = replicas(context);
                    Replica replica = Replica.empty(model, StateHome.inMemory(new Workers(1)))) {
                replica.read(0, driver.stateLog(), TrainState::version);
                for (int step = 0; step < STEPS; step++) {
                    driver.apply(update(step));
                    StateLog log = new WithoutSnapshot(driver.stateLog());
                    byte[] followed = replica.read(step + 1L, log, TrainFixture::bytes);
                    assertThat(followed).isEqualTo(TrainFixture.bytes(driver.state()));
                }
            }

            return true;
        });
        assertThat(done).isTrue();
    }

    @Test
    void updateBeforeASnapshotIsHeldForOneStep() {
        boolean done = Clusters.on(Clusters.ONE_SLOT, context -> {
            try (FollowingReplicas driver = replicas(context)) {
                driver.stateLog();
                driver.apply(update(0));
                UpdateLog log = (UpdateLog) driver.stateLog();
                Update before = log.updates().get(0);
                assertThat(log.snapshotVersion()).isEqualTo(1);
                assertThat(before.gradient().vector().length()).isPositive();

                driver.apply(update(1));
                assertThatThrownBy(() -> before.gradient().vector())
                        .isInstanceOf(SparkException.class)
                        .hasMessageContaining("after it was destroyed");
            }

            return true;
        });
        assertThat(done).isTrue();
    }

    private FollowingReplicas replicas(JavaSparkContext context) {
        return new FollowingReplicas(
                TrainFixture.freshState(plan, model), new StateLogPublisher(context, plan.optimizer(), EACH_STEP));
    }

    private Update update(int version) {
        FlatVector numbers = FlatVector.zeros(model.parameters().size());
        numbers.add(0, new float[] {version + 1}, 0, 1);
        return new Update(version, SummedVector.of(numbers, Summation.TREE), 1, 0.1);
    }

    private record WithoutSnapshot(StateLog log) implements StateLog {
        @Override
        public long snapshotVersion() {
            return log.snapshotVersion();
        }

        @Override
        public boolean reaches(long version) {
            return log.reaches(version);
        }

        @Override
        public TrainState snapshot(GradientModel of, StateHome home) {
            throw new AssertionError("a replica that took the last step pulled a snapshot");
        }

        @Override
        public void advance(TrainState state, VectorPool pool, Runnable beforeChange) {
            log.advance(state, pool, beforeChange);
        }
    }
}
