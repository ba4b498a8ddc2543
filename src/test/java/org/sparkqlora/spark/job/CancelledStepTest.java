package org.sparkqlora.spark.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.model.loss.LossTotal;
import org.sparkqlora.optim.Paging;
import org.sparkqlora.spark.exchange.ExchangeChoice;
import org.sparkqlora.spark.exchange.ExchangeKind;
import org.sparkqlora.spark.exchange.GradientSize;
import org.sparkqlora.spark.prepare.PreparedData;
import org.sparkqlora.spark.replica.SnapshotPolicy;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.tokenizer.packing.TokenRow;
import org.sparkqlora.train.BatchPlan;
import org.sparkqlora.train.BigramModel;
import org.sparkqlora.train.BigramSource;
import org.sparkqlora.train.BoundModel;
import org.sparkqlora.train.GradientDtype;
import org.sparkqlora.train.GradientModel;
import org.sparkqlora.train.ModelSource;
import org.sparkqlora.train.PassingBound;
import org.sparkqlora.train.PassingModel;
import org.sparkqlora.train.TrainFixture;
import org.sparkqlora.train.TrainPlan;

/** A step whose passes take minutes: whoever cancels its job, as a SIGTERM does, waits for none of them. */
@Tag("spark-line")
@Timeout(120)
class CancelledStepTest {
    private static final String INTERRUPTS = "spark.job.interruptOnCancel";

    @AutoClose
    private static final SharedCluster CLUSTER = new SharedCluster();

    @TempDir
    private Path folder;

    @Test
    void itsTasksAreInterrupted() {
        CLUSTER.on(Clusters.ONE_SLOT, context -> {
            context.setLocalProperty(INTERRUPTS, "false");
            try (SparkGradientSource source = source(context)) {
                Thread cancelling = new Thread(() -> {
                    await(LongPass.BEGUN);
                    context.cancelAllJobs();
                });
                cancelling.start();

                assertThatThrownBy(source::gradient)
                        .isInstanceOf(CancellationException.class)
                        .hasMessageContaining("cancelled");
                assertThat(await(LongPass.INTERRUPTED)).isTrue();
            }

            assertThat(context.getLocalProperty(INTERRUPTS)).isEqualTo("false");
            return context;
        });
    }

    private SparkGradientSource source(JavaSparkContext context) {
        PreparedData rows = CountingRows.prepare(context, folder.resolve("train"), 20, 1);
        TrainPlan plan =
                TrainFixture.plan(new BatchPlan(rows.rows(), 8, 2, 1, BatchPlan.RowOrder.SHUFFLED, rows.rows(), 1));
        GradientModel model = new BigramModel();
        GradientSize size = new GradientSize(model.parameters().size(), 1, GradientDtype.FP32);
        return new SparkGradientSource(
                context,
                new TrainingRun(
                        plan,
                        new LongPass(new BigramSource()),
                        rows,
                        null,
                        Paging.DEFAULT,
                        SnapshotPolicy.DEFAULT,
                        null),
                () -> TrainFixture.freshState(plan, model),
                ExchangeChoice.of(ExchangeKind.AUTO, size, context.getConf()));
    }

    private static boolean await(CountDownLatch latch) {
        try {
            return latch.await(10, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** A model whose passes take long, but for an interrupt. */
    private record LongPass(ModelSource source) implements ModelSource {
        private static final long LONG_MILLIS = 20_000;
        private static final CountDownLatch BEGUN = new CountDownLatch(1);
        private static final CountDownLatch INTERRUPTED = new CountDownLatch(1);

        @Override
        public String key() {
            return source.key() + " of long passes";
        }

        @Override
        public Optional<String> problem(List<String> gpus) {
            return source.problem(gpus);
        }

        @Override
        public GradientModel open(int threads) {
            return new Opened(source.open(threads));
        }

        private record Opened(GradientModel model) implements PassingModel {
            @Override
            public BoundModel bind(FlatVector parameters, OptionalDouble lossScale) {
                return new Bound(model.bind(parameters, lossScale));
            }
        }

        private record Bound(BoundModel bound) implements PassingBound {
            @Override
            public LossTotal addGradient(List<TokenRow> microBatch, FlatVector gradient, long passSeed) {
                BEGUN.countDown();
                try {
                    Thread.sleep(LONG_MILLIS);
                } catch (InterruptedException e) {
                    INTERRUPTED.countDown();
                }

                throw new IllegalStateException("no pass of this model comes to its end");
            }
        }
    }
}
