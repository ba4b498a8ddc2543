package org.sparkqlora.spark.job;

import org.apache.spark.api.java.JavaSparkContext;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.optim.Paging;
import org.sparkqlora.spark.exchange.ExchangeChoice;
import org.sparkqlora.spark.exchange.ExchangeKind;
import org.sparkqlora.spark.exchange.GradientSize;
import org.sparkqlora.spark.prepare.PreparedData;
import org.sparkqlora.spark.replica.SnapshotPolicy;
import org.sparkqlora.train.BigramSource;
import org.sparkqlora.train.GradientDtype;
import org.sparkqlora.train.GradientSource;
import org.sparkqlora.train.StateOrigin;
import org.sparkqlora.train.TrainPlan;

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
                plan, new BigramSource(vocabulary), rows, heldOut, Paging.DEFAULT, new SnapshotPolicy(3, 1L << 30));
        long numbers = TrainPlan.numbersOfShard(
                (long) vocabulary * vocabulary, plan.optimizer(), plan.batches().localSteps());
        GradientSize size = new GradientSize(numbers, plan.batches().shards(), GradientDtype.FP32);
        return new SparkGradientSource(
                context, run, origin, ExchangeChoice.of(ExchangeKind.SHUFFLE, size, context.getConf()));
    }
}
