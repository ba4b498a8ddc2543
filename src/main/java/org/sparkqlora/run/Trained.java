package org.sparkqlora.run;

import java.util.OptionalDouble;
import org.sparkqlora.train.metrics.TrainSummary;

/**
 * What a run of {@code train} came to.
 *
 * @param summary its figures
 * @param resultLoss held-out loss of the result: the lowest where the best is kept, or else the last
 * @param folder of the run, as people write it: metrics.jsonl, checkpoints, report.html and the result
 * @param result folder of the adapter in PEFT layout, or of the whole model where all weights trained
 * @param json the summary that the command prints
 */
public record Trained(TrainSummary summary, OptionalDouble resultLoss, String folder, String result, String json) {}
