package org.sparkqlora.train;

import java.io.Serializable;
import java.util.function.Consumer;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.tensor.VectorPool;

/** The sum of the gradients of a step over its shards, wherever its numbers lie. */
public interface SummedGradient extends Serializable, AutoCloseable {
    /** Count of elements. */
    long length();

    /** Sum of squares in the order of {@link Summation#squares}; NaN when any element is NaN. */
    double squares();

    /** All numbers in this process. An {@link UnreachableStateException} if they are lost. */
    FlatVector vector();

    /**
     * Lets {@code reader} see all numbers, which it may not keep. An {@link UnreachableStateException} if they are lost, before it is called.
     *
     * @param pool vectors of this length, one of which it takes where the numbers come from elsewhere
     */
    default void lend(VectorPool pool, Consumer<FlatVector> reader) {
        reader.accept(vector());
    }

    /**
     * Lets {@code reader} see the {@code count} numbers from {@code from} on, which it may not keep. An {@link UnreachableStateException} if
     * they are lost, before it is called.
     */
    default void lendRange(long from, long count, Consumer<FlatVector> reader) {
        reader.accept(vector().range(from, count));
    }

    @Override
    void close();
}
