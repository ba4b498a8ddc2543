package org.sparkqlora.spark.lineage;

import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A change of the state of a run.
 *
 * @param run that it is about
 * @param failure that ended it; null unless it failed
 */
record LineageEvent(
        Type type,
        Instant time,
        UUID run,
        LineageFacts facts,
        List<LineageDataset> outputs,
        @Nullable Throwable failure) {
    LineageEvent {
        outputs = List.copyOf(outputs);
    }

    /** OpenLineage's words: a run has one {@code START} and one of the others. */
    enum Type {
        START,
        COMPLETE,
        ABORT,
        FAIL
    }
}
