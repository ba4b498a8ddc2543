package org.sparkqlora.quant;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.ShortBuffer;
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

/** NF4 with double quantisation, one thread: millions of weights a second of each implementation. */
@State(Scope.Thread)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@OperationsPerInvocation(FourBitBenchmark.WEIGHTS)
public class FourBitBenchmark {
    /** A projection of a small model: codes and numbers stay within the second cache. */
    static final int WEIGHTS = 576 * 576;

    /** Which implementation. */
    public enum Arithmetic {
        SCALAR,
        BYTE_TABLE,
        VECTOR
    }

    @Param
    private Arithmetic arithmetic = Arithmetic.SCALAR;

    private final Workers workers = new Workers(1);
    private final float[] weights = new float[WEIGHTS];
    private final FloatSource source = FloatSource.of(weights);
    private final ShortBuffer shorts = direct(Short.BYTES).asShortBuffer();
    private final FloatBuffer floats = direct(Float.BYTES).asFloatBuffer();
    private FourBitQuantizer quantizer;
    private FourBitDequantizer dequantizer;
    private FourBitTensor quantized;

    @Setup
    public void quantizeOnce() {
        Random random = new Random(0);
        for (int i = 0; i < WEIGHTS; i++) {
            weights[i] = (float) random.nextGaussian();
        }

        boolean vectors = arithmetic == Arithmetic.VECTOR;
        FourBitKernel kernel = switch (arithmetic) {
            case SCALAR -> new FourBitKernel.Scalar();
            case BYTE_TABLE -> new ByteTableFourBitKernel();
            case VECTOR -> new VectorFourBitKernel();
        };
        FourBitCode code = QuantSpec.DEFAULT.code();
        quantizer = new FourBitQuantizer(
                QuantSpec.DEFAULT,
                workers,
                vectors ? new VectorFourBitEncoder(code) : new FourBitEncoder.ScalarFourBitEncoder(code));
        dequantizer = new FourBitDequantizer(workers, kernel);
        quantized = quantizer.quantize(source);
    }

    @Benchmark
    public FourBitTensor quantize() {
        return quantizer.quantize(source);
    }

    @Benchmark
    public ShortBuffer toBfloat16() {
        dequantizer.toBfloat16(quantized, shorts);
        return shorts;
    }

    @Benchmark
    public FloatBuffer toFloat() {
        dequantizer.toFloat(quantized, floats);
        return floats;
    }

    private static ByteBuffer direct(int bytes) {
        return ByteBuffer.allocateDirect(WEIGHTS * bytes).order(ByteOrder.nativeOrder());
    }
}
