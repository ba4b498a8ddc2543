package org.sparkqlora.spark;

import java.io.Serializable;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a task made of a group of lines.
 *
 * @param group its number
 * @param file its rows; null when there are none
 * @param counts what became of its lines
 * @param bad its first lines that are no record
 */
record GroupResult(int group, @Nullable PreparedFile file, PreparationCounts counts, List<BadLine> bad)
        implements Serializable {}
