package org.sparkqlora.run.train;

import java.util.OptionalDouble;
import org.sparkqlora.spark.exchange.ExchangeChoice;
import org.sparkqlora.spark.prepare.PreparationCounts;
import org.sparkqlora.train.metrics.TrainSummary;

/**
 * The result of a training run.
 *
 * @param summary its steps, losses and seconds
 * @param resultLoss held-out loss of the result: the lowest if the best model is kept, or else the last
 * @param exchange how gradients were added
 * @param failedTasks of Spark, which ran again
 * @param lostExecutors of Spark
 * @param data examples and rows that it trained on
 * @param parameters trained numbers
 * @param folder of the run, as people write it: metrics.jsonl, checkpoints, report.html and the result
 * @param result folder of the adapter in PEFT layout, or of the whole model if all weights trained
 */
public record Trained(
        TrainSummary summary,
        OptionalDouble resultLoss,
        ExchangeChoice exchange,
        int failedTasks,
        int lostExecutors,
        PreparationCounts data,
        long parameters,
        String folder,
        String result) {}
