package org.sparkqlora.spark.quantize;

import java.io.Serializable;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.checkpoint.QuantizedPart;
import org.sparkqlora.input.BadInputException;

/**
 * The end of a task.
 *
 * @param part that is there now; null if it cannot be
 * @param problem the reason; null if there is none
 */
public record PartOutcome(
        QuantizedPart.@Nullable Stored part, @Nullable String problem) implements Serializable {
    QuantizedPart.Stored require() {
        if (part == null) {
            throw new BadInputException(String.valueOf(problem));
        }

        return part;
    }
}
