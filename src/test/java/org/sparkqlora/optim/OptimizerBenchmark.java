package org.sparkqlora.optim;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
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
    private final Workers workers = new Workers(1);
    private Optimizer optimizer;
    private OptimizerPart whole;
    private FlatVector partParameters = random(1);
    private ByteBuffer partState = ByteBuffer.allocate(0);
    private long step;

    @Setup
    public void open() {
        long[] sizes = Collections.nCopies(TENSORS, (long) SIZE).stream()
                .mapToLong(Long::longValue)
                .toArray();
        OptimizerSpec spec = new OptimizerSpec(kind, 0.9, 0.999, 1e-8, 0);
        optimizer = Optimizers.create(spec, sizes, workers);
        whole = OptimizerPart.whole(spec, OptimizedTensor.alike(sizes));
        partState = direct(whole.stateBytes());
    }

    @Benchmark
    public FlatVector step() {
        step++;
        optimizer.step(parameters, gradient, 1, 1e-4, step);
        return parameters;
    }

    /** As the owner of a part of a sharded State makes the next one. */
    @Benchmark
    public FlatVector stepIntoNewMemory() {
        step++;
        FlatVector moved =
                FlatVector.in(direct((long) TENSORS * SIZE * Float.BYTES).asFloatBuffer());
        moved.setAll(partParameters);
        ByteBuffer state = direct(partState.capacity());
        state.put(0, partState, 0, partState.capacity());
        try (Optimizer part = whole.open(state, workers, Paging.DEFAULT, null)) {
            part.step(moved, gradient, 1, 1e-4, step);
        }

        partParameters = moved;
        partState = state;
        return moved;
    }

    private static ByteBuffer direct(long bytes) {
        return ByteBuffer.allocateDirect(Math.toIntExact(bytes)).order(ByteOrder.LITTLE_ENDIAN);
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
