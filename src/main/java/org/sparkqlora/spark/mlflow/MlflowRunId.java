package org.sparkqlora.spark.mlflow;

/**
 * A run as the server knows it.
 *
 * @param id names it
 * @param artifacts where its artefacts lie
 */
record MlflowRunId(String id, String artifacts) {}
