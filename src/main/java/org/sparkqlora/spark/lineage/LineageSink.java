package org.sparkqlora.spark.lineage;

import java.io.IOException;
import org.sparkqlora.input.BadInputException;

/** A receiver of events. */
public sealed interface LineageSink permits HttpLineage, FileLineage {
    /** Hands over an event; {@link BadInputException} where it would be refused again, {@link IOException} for other failures. */
    void send(String event) throws IOException;
}
