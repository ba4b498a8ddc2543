package org.sparkqlora.optim;

import java.util.Collections;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.tensor.FlatVector;

/** Steps over many small tensors, one thread: millions of parameters a second of each kind. */
@State(Scope.Thread)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@OperationsPerInvocation(OptimizerBenchmark.TENSORS * OptimizerBenchmark.SIZE)
public class OptimizerBenchmark {
    static final int TENSORS = 120;

    /** Of an adapter of rank 16 on a projection of 576 inputs. */
    static final int SIZE = 16 * 576;

    @Param({"ADAMW", "ADAMW_8BIT", "PAGED_ADAMW_8BIT", "LION", "SGD"})
    private OptimizerKind kind = OptimizerKind.ADAMW;

    private final FlatVector parameters = random(1);
    private final FlatVector gradient = random(2);
    private Optimizer optimizer;
    private long step;

    @Setup
    public void open() {
        long[] sizes = Collections.nCopies(TENSORS, (long) SIZE).stream()
                .mapToLong(Long::longValue)
                .toArray();
        optimizer = Optimizers.create(new OptimizerSpec(kind, 0.9, 0.999, 1e-8, 0), sizes, new Workers(1));
    }

    @Benchmark
    public FlatVector step() {
        step++;
        optimizer.step(parameters, gradient, 1, 1e-4, step);
        return parameters;
    }

    private static FlatVector random(long seed) {
        Random random = new Random(seed);
        FlatVector vector = FlatVector.zeros((long) TENSORS * SIZE);
        for (long i = 0; i < vector.length(); i++) {
            vector.set(i, (float) random.nextGaussian());
        }

        return vector;
    }
}
