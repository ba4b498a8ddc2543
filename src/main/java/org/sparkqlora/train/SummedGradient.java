package org.sparkqlora.train;

import java.io.Serializable;
import org.sparkqlora.tensor.FlatVector;

/** The sum of the gradients of a step over its shards, wherever its numbers lie. */
public interface SummedGradient extends Serializable, AutoCloseable {
    /** Count of elements. */
    long length();

    /** Sum of squares in the order of {@link Summation#squares}; NaN when any element is NaN. */
    double squares();

    /** All numbers in this process. An {@link UnreachableStateException} if they are lost. */
    FlatVector vector();

    @Override
    void close();
}
