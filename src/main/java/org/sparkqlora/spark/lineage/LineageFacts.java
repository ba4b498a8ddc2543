package org.sparkqlora.spark.lineage;

import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The facts of a run that are known when it starts.
 *
 * @param kind of work, such as {@code TRAIN}
 * @param parent that started it; null for none
 * @param spark version of the engine
 * @param producer version of this program
 */
public record LineageFacts(
        LineageName job,
        String kind,
        @Nullable LineageParent parent,
        String spark,
        String producer,
        List<LineageDataset> inputs) {
    public LineageFacts {
        inputs = inputs.stream().distinct().toList();
    }

    /**
     * The run that started this one, such as a task of Airflow.
     *
     * @param root the run that started them all; null if it is not known
     */
    public record LineageParent(
            UUID run, LineageName job, @Nullable LineageParent root) {}
}
