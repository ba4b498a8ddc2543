package org.sparkqlora.spark.mlflow;

/** A value at a step. */
record MlflowMetric(String key, double value, long timeMillis, long step) {}
