package org.sparkqlora.cli;

import org.sparkqlora.train.TrainSummary;

/**
 * What a run of {@code train} came to.
 *
 * @param summary its figures
 * @param folder of the run, as people write it: metrics.jsonl, checkpoints, report.html and the result
 * @param result folder of the adapter in PEFT layout, or of the whole model where all weights trained
 * @param json the summary that the command prints
 */
public record Trained(TrainSummary summary, String folder, String result, String json) {}
