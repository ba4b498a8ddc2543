package org.sparkqlora.cli.bench;

/**
 * The setting of a measurement.
 *
 * @param threads threads to compute with
 * @param sequenceLength tokens a row
 * @param batchSize rows a step
 * @param microBatchSize rows that pass through the model at once
 * @param rank of the adapters
 */
record BenchSetting(int threads, int sequenceLength, int batchSize, int microBatchSize, int rank) {}
