package org.sparkqlora.spark.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.LongFunction;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.checkpoint.CheckpointDraft;
import org.sparkqlora.spark.prepare.PreparedData;
import org.sparkqlora.train.BatchPlan;
import org.sparkqlora.train.BigramModel;
import org.sparkqlora.train.GradientSource;
import org.sparkqlora.train.SavedState;
import org.sparkqlora.train.TrainFixture;
import org.sparkqlora.train.TrainPlan;
import org.sparkqlora.train.UnreachableStateException;

/** A checkpoint that the tasks of the next step leave while they compute. */
class SavedByNextStepTest {
    private static final int SHARDS = 3;
    private static final int STEPS = 2;
    private static final LongFunction<Optional<CheckpointDraft>> NO_DRAFT = version -> Optional.empty();

    @AutoClose
    private static final SharedCluster CLUSTER = new SharedCluster();

    @TempDir
    private static Path folder;

    private static PreparedData rows;

    private final BigramModel model = new BigramModel();

    @BeforeAll
    static void prepareRows() {
        rows = CLUSTER.on(
                Clusters.TWO_EXECUTORS, context -> CountingRows.prepare(context, folder.resolve("train"), 200, 1));
    }

    @Test
    void isTheStateThatTheyComputeAtAndTakesNoJobOfItsOwn() {
        onCluster(source -> {
            int before = jobs(source);
            source.source().gradient().gradient().close();
            int ofAStep = jobs(source) - before;
            SavedState saved = source.source().savedByNextStep(NO_DRAFT);
            ShuffledBigrams.step(source.source());

            assertThat(jobs(source) - before).isEqualTo(2 * ofAStep);
            assertThat(saved.version()).isEqualTo(STEPS);
            assertThat(saved.isLasting()).isTrue();
            assertThat(TrainFixture.bytes(saved)).isEqualTo(inOneProcess());
            saved.release();
        });
    }

    @Test
    void isTakenByAJobWhereItIsNeededBefore() {
        onCluster(source -> {
            SavedState saved = source.source().savedByNextStep(NO_DRAFT);
            saved.settle();

            assertThat(TrainFixture.bytes(saved)).isEqualTo(inOneProcess());
            saved.release();
            ShuffledBigrams.step(source.source());
        });
    }

    @Test
    void isLostWhereNoStepFollows() {
        onCluster(source -> {
            SavedState saved = source.source().savedByNextStep(NO_DRAFT);
            saved.abandon();

            assertThatThrownBy(() -> saved.write(new DataOutputStream(new ByteArrayOutputStream())))
                    .isInstanceOf(UnreachableStateException.class)
                    .hasMessage("training ended before the State of version 2 was left");
            saved.release();
        });
    }

    private record Running(JavaSparkContext context, GradientSource source) {}

    /** At version {@value #STEPS}, whose State the two executors hold. */
    private void onCluster(Consumer<Running> body) {
        Boolean ended = CLUSTER.on(Clusters.TWO_EXECUTORS, context -> {
            try (GradientSource source = ShuffledBigrams.source(
                    context,
                    plan(),
                    () -> TrainFixture.freshState(plan(), model),
                    BigramModel.VOCABULARY,
                    rows,
                    rows)) {
                for (int i = 0; i < STEPS; i++) {
                    ShuffledBigrams.step(source);
                }

                body.accept(new Running(context, source));
            }

            return true;
        });
        assertThat(ended).isTrue();
    }

    private byte[] inOneProcess() {
        return ShuffledBigrams.inOneProcess(plan(), model, rows, STEPS);
    }

    private static int jobs(Running running) {
        return running.context().statusTracker().getJobIdsForGroup(null).length;
    }

    private static TrainPlan plan() {
        return TrainFixture.plan(new BatchPlan(rows.rows(), 8, 2, SHARDS, BatchPlan.RowOrder.SHUFFLED, 8L * 7 - 5, 1));
    }
}
