package org.sparkqlora.optim;

import java.io.Serializable;
import java.util.List;
import java.util.stream.LongStream;

/**
 * A tensor that an optimiser moves, as a run of the flat vector.
 *
 * @param size number of its elements
 * @param group how a step treats it
 */
public record OptimizedTensor(long size, ParameterGroup group) implements Serializable {
    private static final long serialVersionUID = 1L;

    /** Tensors that a step treats all alike. */
    static List<OptimizedTensor> alike(long... sizes) {
        return LongStream.of(sizes)
                .mapToObj(size -> new OptimizedTensor(size, ParameterGroup.PLAIN))
                .toList();
    }
}
