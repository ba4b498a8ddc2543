package org.sparkqlora.run.export;

import java.util.List;
import org.sparkqlora.spark.cluster.Location;
import org.sparkqlora.weights.gguf.GgufOutType;

/**
 * A GGUF file that was written.
 *
 * @param tensors their number
 * @param notes what a server computes otherwise than the model
 */
public record ExportedFile(Location file, GgufOutType type, int tensors, long bytes, List<String> notes) {
    public ExportedFile {
        notes = List.copyOf(notes);
    }
}
