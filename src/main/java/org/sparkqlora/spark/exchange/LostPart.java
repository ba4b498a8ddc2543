package org.sparkqlora.spark.exchange;

import java.util.Objects;
import org.apache.spark.TaskContext;
import org.apache.spark.shuffle.FetchFailedException;
import org.sparkqlora.spark.blocks.ExecutorBlocks.LostBlockException;

/**
 * A part of a gradient that no executor has any more, as its task finds that adds it. Spark computes it again as it does lost files of a
 * shuffle.
 *
 * @param shuffle Spark's id of the one that brought its handle
 */
record LostPart(GradientPart part, int shuffle, LostBlockException loss) {
    /** What makes Spark run the task again that left the part, and then this one. */
    FetchFailedException computedAgain() {
        return new FetchFailedException(
                Objects.requireNonNull(part.handle()).places().get(0).toBlockManager(),
                shuffle,
                part.task(),
                part.partition(),
                TaskContext.getPartitionId(),
                loss.getMessage(),
                loss);
    }
}
