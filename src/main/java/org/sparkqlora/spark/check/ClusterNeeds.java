package org.sparkqlora.spark.check;

import java.util.List;
import org.sparkqlora.memory.MemoryPlan;
import org.sparkqlora.train.ModelSource;

/**
 * The requirements of a run on a cluster.
 *
 * @param model that executors open
 * @param folders on file systems that all share: the run's, and prepared rows that are read
 * @param rows of a step
 * @param shards tasks of a step
 * @param memory estimate for the executors and the driver
 */
public record ClusterNeeds(ModelSource model, List<String> folders, int rows, int shards, MemoryPlan memory) {
    public ClusterNeeds {
        folders = List.copyOf(folders);
    }

    SlotUse use(int slots) {
        return new SlotUse(rows, shards, slots);
    }
}
