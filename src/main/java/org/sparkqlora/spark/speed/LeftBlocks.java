package org.sparkqlora.spark.speed;

import java.io.Serializable;
import java.util.List;
import org.sparkqlora.spark.blocks.ExecutorBlocks;
import org.sparkqlora.spark.blocks.ExecutorPlace;

/**
 * Blocks that a task left.
 *
 * @param place where it ran
 * @param handles of the blocks
 * @param seconds that it took
 */
public record LeftBlocks(ExecutorPlace place, List<ExecutorBlocks.Handle> handles, double seconds)
        implements Serializable {
    public LeftBlocks {
        handles = List.copyOf(handles);
    }

    /** Of one block. */
    double secondsOfBlock() {
        return seconds / handles.size();
    }

    double bytesPerSecond() {
        return handles.stream().mapToLong(ExecutorBlocks.Handle::length).sum() / seconds;
    }
}
