package org.sparkqlora.spark.replica;

import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.train.SummedGradient;
import org.sparkqlora.train.Update;

/**
 * A summed gradient that the driver has.
 *
 * @param numbers of it
 * @param length count of them
 * @param squares sum of their squares
 */
record BroadcastGradient(Broadcast<FlatVector> numbers, long length, double squares) implements SummedGradient {
    private static final long serialVersionUID = 1L;

    /** Driver only: {@code update} for executors. */
    static Update of(JavaSparkContext context, Update update) {
        SummedGradient here = update.gradient();
        BroadcastGradient sent = new BroadcastGradient(context.broadcast(here.vector()), here.length(), here.squares());
        return new Update(update.fromVersion(), sent, update.scale(), update.learningRate());
    }

    @Override
    public FlatVector vector() {
        return numbers.value();
    }

    /** Executors drop it; the driver still has it for who is behind. */
    void unpersist() {
        numbers.unpersist();
    }

    @Override
    public void close() {
        numbers.destroy();
    }
}
