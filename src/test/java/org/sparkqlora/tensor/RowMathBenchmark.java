package org.sparkqlora.tensor;

import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** Arithmetic between products, one thread: millions of numbers a second of each implementation. */
@State(Scope.Thread)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@OperationsPerInvocation(RowMathBenchmark.COUNT)
public class RowMathBenchmark {
    /** Width of a small model's feed-forward. */
    static final int COUNT = 1536;

    /** Which implementation. */
    public enum Arithmetic {
        SCALAR(new ScalarRowMath()),
        VECTOR(new VectorRowMath());

        private final RowMath rows;

        Arithmetic(RowMath rows) {
            this.rows = rows;
        }
    }

    @Param
    private Arithmetic arithmetic = Arithmetic.SCALAR;

    private final float[] x = random(1);
    private final float[] y = random(2);
    private final float[] value = new float[COUNT];
    private final float[] slope = new float[COUNT];
    private final short[] halves = new short[COUNT];

    @Benchmark
    public short[] round() {
        arithmetic.rows.round(x, halves, COUNT);
        return halves;
    }

    @Benchmark
    public float[] widen() {
        arithmetic.rows.widen(halves, value, COUNT);
        return value;
    }

    @Benchmark
    public float dot() {
        return arithmetic.rows.dot(x, y, COUNT);
    }

    @Benchmark
    public float exponentials() {
        System.arraycopy(x, 0, value, 0, COUNT); // in place: the next time they would be exponentials already
        return arithmetic.rows.exponentials(value, 0.125f, 4, COUNT);
    }

    @Benchmark
    public float[] softmaxGradient() {
        arithmetic.rows.softmaxGradient(x, y, 0.125f, value, COUNT);
        return value;
    }

    @Benchmark
    public float[] silu() {
        arithmetic.rows.silu(x, value, slope, COUNT);
        return value;
    }

    private static float[] random(long seed) {
        Random random = new Random(seed);
        float[] numbers = new float[COUNT];
        for (int i = 0; i < COUNT; i++) {
            numbers[i] = (float) random.nextGaussian();
        }

        return numbers;
    }
}
