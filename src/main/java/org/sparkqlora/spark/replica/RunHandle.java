package org.sparkqlora.spark.replica;

import java.io.Serializable;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.util.SerializableConfiguration;
import org.sparkqlora.optim.OptimizerSpec;
import org.sparkqlora.optim.PagePlace;
import org.sparkqlora.optim.Paging;
import org.sparkqlora.spark.prepare.RowsPlace;
import org.sparkqlora.train.ModelSource;

/**
 * A task's handle of the run that it belongs to.
 *
 * @param id of this run and no other
 * @param model the base model
 * @param optimizer the rule by which a replica moves on
 * @param paging of its state
 * @param threads a task computes with
 * @param rows of a step's batches
 * @param configuration of Hadoop's file systems
 */
public record RunHandle(
        String id,
        ModelSource model,
        OptimizerSpec optimizer,
        Paging paging,
        int threads,
        RowsPlace rows,
        Broadcast<SerializableConfiguration> configuration)
        implements Serializable {
    /** Whether optimiser state lies in files. */
    boolean pagesToFile() {
        return optimizer.kind().paged() && paging.place() == PagePlace.FILE;
    }
}
