package org.sparkqlora.spark.mlflow;

import java.io.InputStream;
import java.util.function.Supplier;

/**
 * A file that goes with a run.
 *
 * @param path below the run's artefacts
 * @param length in bytes
 * @param content opened when it is sent, perhaps more than once
 */
public record MlflowFile(String path, long length, Supplier<InputStream> content) {}
