package org.sparkqlora.tensor;

import static org.sparkqlora.tensor.ScalarRowMath.GELU_CUBE;
import static org.sparkqlora.tensor.ScalarRowMath.GELU_CUBE_SLOPE;
import static org.sparkqlora.tensor.ScalarRowMath.GELU_SLOPE;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;
import org.sparkqlora.quant.Bfloat16;

/**
 * As many elements at a time as a register holds, and the rest of a row one by one. Loaded only where the module
 * {@code jdk.incubator.vector} is. A loop calls few methods of ours on vectors: where a caller has grown large, the compiler calls them
 * instead of inlining them, and then every vector is an object.
 */
final class VectorRowMath implements RowMath {
    private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
    private static final int LENGTH = FLOATS.length();
    private static final VectorSpecies<Integer> INTS = IntVector.SPECIES_PREFERRED;

    /** As many as there are floats in a register. */
    private static final VectorSpecies<Short> SHORTS =
            VectorSpecies.of(short.class, VectorShape.forBitSize(LENGTH * Short.SIZE));

    /** Whether a register holds all partial sums of a sum or half of them. */
    static boolean isSupported() {
        int length = FloatVector.SPECIES_PREFERRED.length();
        return length == LANES || length == LANES / 2;
    }

    @Override
    public void widen(short[] source, float[] target, int count) {
        int end = FLOATS.loopBound(count);
        for (int i = 0; i < end; i += LENGTH) {
            widened(source, i).intoArray(target, i);
        }

        for (int i = end; i < count; i++) {
            target[i] = Float.intBitsToFloat(source[i] << Short.SIZE);
        }
    }

    @Override
    public void round(float[] source, short[] target, int count) {
        int end = FLOATS.loopBound(count);
        for (int i = 0; i < end; i += LENGTH) {
            IntVector bits = FloatVector.fromArray(FLOATS, source, i).reinterpretAsInts();
            IntVector odd = bits.lanewise(VectorOperators.LSHR, Short.SIZE).and(1);
            IntVector upper = bits.add(Short.MAX_VALUE).add(odd).lanewise(VectorOperators.LSHR, Short.SIZE);
            ((ShortVector) upper.convertShape(VectorOperators.I2S, SHORTS, 0)).intoArray(target, i);
        }

        for (int i = end; i < count; i++) {
            target[i] = Bfloat16.round(source[i]);
        }
    }

    @Override
    public float dot(float[] a, float[] b, int count) {
        FloatVector first = FloatVector.zero(FLOATS);
        FloatVector second = first;
        int end = count - count % LANES;
        for (int i = 0; i < end; i += LANES) {
            first = first.add(product(a, b, i));
            if (LENGTH < LANES) {
                second = second.add(product(a, b, i + LENGTH));
            }
        }

        float[] lanes = lanes(first, second);
        ScalarRowMath.addProducts(a, b, end, count, lanes);
        return ScalarRowMath.total(lanes);
    }

    @Override
    public float max(float[] x, int count) {
        int end = FLOATS.loopBound(count);
        FloatVector max = FloatVector.broadcast(FLOATS, x[0]);
        for (int i = 0; i < end; i += LENGTH) {
            max = max.max(FloatVector.fromArray(FLOATS, x, i));
        }

        return ScalarRowMath.max(x, end, count, max.reduceLanes(VectorOperators.MAX));
    }

    @Override
    public void multiply(float[] a, float[] b, float[] target, int count) {
        int end = FLOATS.loopBound(count);
        for (int i = 0; i < end; i += LENGTH) {
            product(a, b, i).intoArray(target, i);
        }

        for (int i = end; i < count; i++) {
            target[i] = a[i] * b[i];
        }
    }

    @Override
    public void scale(float alpha, float[] a, float[] target, int count) {
        int end = FLOATS.loopBound(count);
        for (int i = 0; i < end; i += LENGTH) {
            FloatVector.fromArray(FLOATS, a, i).mul(alpha).intoArray(target, i);
        }

        for (int i = end; i < count; i++) {
            target[i] = alpha * a[i];
        }
    }

    @Override
    public void combine(float alpha, float[] a, float beta, float[] b, float[] target, int count) {
        int end = FLOATS.loopBound(count);
        for (int i = 0; i < end; i += LENGTH) {
            FloatVector first = FloatVector.fromArray(FLOATS, a, i).mul(alpha);
            first.add(FloatVector.fromArray(FLOATS, b, i).mul(beta)).intoArray(target, i);
        }

        for (int i = end; i < count; i++) {
            target[i] = alpha * a[i] + beta * b[i];
        }
    }

    @Override
    public void addRows(WeightedSums sums, int count, float[] rows, int at, int width) {
        VectorRowSums.add(sums, count, rows, at, width);
    }

    @Override
    public void addRows(WeightedSums sums, int count, short[] rows, int at, int width) {
        VectorRowSums.add(sums, count, rows, at, width);
    }

    /** Step by step in loops of their own: in one loop of all steps vectors outnumber registers. */
    @Override
    public float exponentials(float[] x, float scale, float shift, int count) {
        int end = FLOATS.loopBound(count);
        exponents(x, scale, shift, end);
        exponentials(x, end);
        float[] lanes = sums(x, end);
        ScalarRowMath.addExponentials(x, scale, shift, end, count, lanes);
        return ScalarRowMath.total(lanes);
    }

    @Override
    public void softmaxGradient(float[] p, float[] dp, float scale, float[] target, int count) {
        float projection = dot(p, dp, count);
        int end = FLOATS.loopBound(count);
        for (int i = 0; i < end; i += LENGTH) {
            FloatVector difference = FloatVector.fromArray(FLOATS, dp, i).sub(projection);
            FloatVector.fromArray(FLOATS, p, i).mul(scale).mul(difference).intoArray(target, i);
        }

        for (int i = end; i < count; i++) {
            target[i] = scale * p[i] * (dp[i] - projection);
        }
    }

    @Override
    public void silu(float[] x, float[] value, float[] slope, int count) {
        int end = FLOATS.loopBound(count);
        for (int i = 0; i < end; i += LENGTH) {
            FloatVector argument = FloatVector.fromArray(FLOATS, x, i);
            FloatVector sigmoid = sigmoid(argument);
            FloatVector product = argument.mul(sigmoid);
            product.intoArray(value, i);
            FloatVector falling = FloatVector.broadcast(FLOATS, 1).sub(sigmoid);
            sigmoid.add(product.mul(falling)).intoArray(slope, i);
        }

        for (int i = end; i < count; i++) {
            ScalarRowMath.siluAt(x, value, slope, i);
        }
    }

    @Override
    public void geluTanh(float[] x, float[] value, float[] slope, int count) {
        int end = FLOATS.loopBound(count);
        for (int i = 0; i < end; i += LENGTH) {
            FloatVector argument = FloatVector.fromArray(FLOATS, x, i);
            FloatVector square = argument.mul(argument);
            FloatVector sigmoid =
                    sigmoid(argument.mul(GELU_SLOPE).mul(square.mul(GELU_CUBE).add(1)));
            FloatVector product = argument.mul(sigmoid);
            FloatVector inner = square.mul(GELU_CUBE_SLOPE).add(1).mul(GELU_SLOPE);
            product.intoArray(value, i);
            FloatVector falling = FloatVector.broadcast(FLOATS, 1).sub(sigmoid);
            sigmoid.add(product.mul(falling).mul(inner)).intoArray(slope, i);
        }

        for (int i = end; i < count; i++) {
            ScalarRowMath.geluTanhAt(x, value, slope, i);
        }
    }

    @Override
    public void tanh(float alpha, float[] x, float[] target, int count) {
        int end = FLOATS.loopBound(count);
        for (int i = 0; i < end; i += LENGTH) {
            FloatVector argument = FloatVector.fromArray(FLOATS, x, i).mul(alpha);
            FloatVector below =
                    FloatVector.broadcast(FLOATS, 2).div(exp(argument.mul(2)).add(1));
            FloatVector.broadcast(FLOATS, 1).sub(below).intoArray(target, i);
        }

        for (int i = end; i < count; i++) {
            target[i] = ScalarRowMath.tanh(alpha * x[i]);
        }
    }

    @Override
    public void turn(float[] row, int heads, float[] cosine, float[] sine, int half) {
        int end = FLOATS.loopBound(half);
        for (int i = 0; i < end; i += LENGTH) {
            FloatVector cosines = FloatVector.fromArray(FLOATS, cosine, i);
            FloatVector sines = FloatVector.fromArray(FLOATS, sine, i);
            for (int head = 0; head < heads; head++) {
                int at = 2 * half * head + i;
                FloatVector x = FloatVector.fromArray(FLOATS, row, at);
                FloatVector y = FloatVector.fromArray(FLOATS, row, at + half);
                x.mul(cosines).sub(y.mul(sines)).intoArray(row, at);
                y.mul(cosines).add(x.mul(sines)).intoArray(row, at + half);
            }
        }

        for (int head = 0; head < heads && end < half; head++) {
            ScalarRowMath.turn(row, 2 * half * head, cosine, sine, half, end);
        }
    }

    /** Numbers in bfloat16, from {@code source[at]} on. */
    static FloatVector widened(short[] source, int at) {
        IntVector bits =
                (IntVector) ShortVector.fromArray(SHORTS, source, at).convertShape(VectorOperators.S2I, INTS, 0);
        return bits.lanewise(VectorOperators.LSHL, Short.SIZE).reinterpretAsFloats();
    }

    private static FloatVector product(float[] a, float[] b, int at) {
        return FloatVector.fromArray(FLOATS, a, at).mul(FloatVector.fromArray(FLOATS, b, at));
    }

    /** {@code x = scale (x - shift)}, held within bounds: a loop of its own, as the polynomial of two vectors needs all registers. */
    private static void exponents(float[] x, float scale, float shift, int end) {
        for (int i = 0; i < end; i += LENGTH) {
            held(FloatVector.fromArray(FLOATS, x, i).sub(shift).mul(scale)).intoArray(x, i);
        }
    }

    private static void exponentials(float[] exponents, int end) {
        for (int i = 0; i < end; i += LENGTH) {
            expOfHeld(FloatVector.fromArray(FLOATS, exponents, i)).intoArray(exponents, i);
        }
    }

    /**
     * Partial sums. They are stored here, not by a method that takes the vectors, and what is left behind the loop is added in the array:
     * otherwise each call makes objects of the vectors, a third of all that {@code generate} allocates.
     */
    private static float[] sums(float[] x, int count) {
        FloatVector first = FloatVector.zero(FLOATS);
        FloatVector second = first;
        int end = count - count % LANES;
        for (int i = 0; i < end; i += LANES) {
            first = first.add(FloatVector.fromArray(FLOATS, x, i));
            if (LENGTH < LANES) {
                second = second.add(FloatVector.fromArray(FLOATS, x, i + LENGTH));
            }
        }

        float[] lanes = new float[LANES];
        first.intoArray(lanes, 0);
        if (LENGTH < LANES) {
            second.intoArray(lanes, LENGTH);
        }

        if (end < count) {
            FloatVector.fromArray(FLOATS, lanes, 0)
                    .add(FloatVector.fromArray(FLOATS, x, end))
                    .intoArray(lanes, 0);
        }

        return lanes;
    }

    private static FloatVector sigmoid(FloatVector x) {
        return FloatVector.broadcast(FLOATS, 1).div(exp(x.neg()).add(1));
    }

    /** {@link ScalarRowMath#exp} of all. */
    private static FloatVector exp(FloatVector exponent) {
        return expOfHeld(held(exponent));
    }

    /** Within the exponents of float32. Java's max and min, which tell -0 from 0, are five instructions each. */
    private static FloatVector held(FloatVector exponent) {
        FloatVector x =
                exponent.blend(ScalarRowMath.LOWEST, exponent.compare(VectorOperators.LT, ScalarRowMath.LOWEST));
        return x.blend(ScalarRowMath.HIGHEST, x.compare(VectorOperators.GT, ScalarRowMath.HIGHEST));
    }

    private static FloatVector expOfHeld(FloatVector x) {
        FloatVector rounded = x.mul(ScalarRowMath.LOG2_E).add(ScalarRowMath.ROUNDER);
        FloatVector n = rounded.sub(ScalarRowMath.ROUNDER);
        FloatVector r = x.sub(n.mul(ScalarRowMath.LN2_HIGH)).sub(n.mul(ScalarRowMath.LN2_LOW));
        FloatVector p = r.mul(ScalarRowMath.P5).add(ScalarRowMath.P4);
        p = p.mul(r).add(ScalarRowMath.P3);
        p = p.mul(r).add(ScalarRowMath.P2);
        p = p.mul(r).add(ScalarRowMath.P1);
        p = p.mul(r).add(ScalarRowMath.P0);
        IntVector fraction = p.mul(r.mul(r)).add(r).add(1).reinterpretAsInts();
        IntVector power = rounded.reinterpretAsInts().lanewise(VectorOperators.LSHL, ScalarRowMath.FRACTION_BITS);
        return fraction.add(power).reinterpretAsFloats();
    }

    private static float[] lanes(FloatVector first, FloatVector second) {
        float[] lanes = new float[LANES];
        first.intoArray(lanes, 0);
        if (LENGTH < LANES) {
            second.intoArray(lanes, LENGTH);
        }

        return lanes;
    }
}
