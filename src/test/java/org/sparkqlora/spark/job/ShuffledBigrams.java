package org.sparkqlora.spark.job;

import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.JavaSparkContext;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.optim.Paging;
import org.sparkqlora.spark.exchange.ExchangeChoice;
import org.sparkqlora.spark.exchange.ExchangeKind;
import org.sparkqlora.spark.exchange.GradientSize;
import org.sparkqlora.spark.prepare.PreparedData;
import org.sparkqlora.spark.prepare.PreparedRows;
import org.sparkqlora.spark.replica.SnapshotPolicy;
import org.sparkqlora.train.BigramSource;
import org.sparkqlora.train.GradientDtype;
import org.sparkqlora.train.GradientModel;
import org.sparkqlora.train.GradientSource;
import org.sparkqlora.train.StateOrigin;
import org.sparkqlora.train.StepGradient;
import org.sparkqlora.train.TrainFixture;
import org.sparkqlora.train.TrainPlan;
import org.sparkqlora.train.Update;

/** Gradients of a bigram model that executors exchange by {@code shuffle}, so that they hold its State. */
final class ShuffledBigrams {
    private ShuffledBigrams() {}

    static GradientSource source(
            JavaSparkContext context,
            TrainPlan plan,
            StateOrigin origin,
            int vocabulary,
            PreparedData rows,
            @Nullable PreparedData heldOut) {
        TrainingRun run = new TrainingRun(
                plan,
                new BigramSource(vocabulary),
                rows,
                heldOut,
                Paging.DEFAULT,
                new SnapshotPolicy(3, 1L << 30),
                null);
        long numbers = TrainPlan.numbersOfShard(
                (long) vocabulary * vocabulary, plan.optimizer(), plan.batches().localSteps());
        GradientSize size = new GradientSize(numbers, plan.batches().shards(), GradientDtype.FP32);
        return new SparkGradientSource(
                context, run, origin, ExchangeChoice.of(ExchangeKind.SHUFFLE, size, context.getConf()));
    }

    /** The State of {@code plan} after some steps in one process, as a checkpoint has it. */
    static byte[] inOneProcess(TrainPlan plan, GradientModel model, PreparedData rows, int steps) {
        try (PreparedRows reader = rows.reader(new Configuration());
                GradientSource source =
                        TrainFixture.inThisProcess(plan, model, TrainFixture.freshState(plan, model), reader, reader)) {
            for (int i = 0; i < steps; i++) {
                step(source);
            }

            return TrainFixture.bytes(source.saved());
        }
    }

    static void step(GradientSource source) {
        StepGradient sum = source.gradient();
        source.apply(new Update(source.position().version(), sum.gradient(), 0.01f, 0.1));
        sum.gradient().close();
    }
}
