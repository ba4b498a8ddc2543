package org.sparkqlora.run;

import org.sparkqlora.spark.cluster.Location;
import org.sparkqlora.weights.gguf.GgufOutType;

/**
 * A GGUF file that was written.
 *
 * @param tensors their number
 */
public record ExportedFile(Location file, GgufOutType type, int tensors, long bytes) {}
