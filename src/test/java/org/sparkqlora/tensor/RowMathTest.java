package org.sparkqlora.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

@NullMarked
class RowMathTest {
    /** Of exp, relative: a few units in the last place of float32. */
    private static final double EXP_TOLERANCE = 5e-7;

    /** Of functions made of it, whose values are near 1. */
    private static final double TOLERANCE = 2e-6;

    private static final RowMath SCALAR = new ScalarRowMath();
    private static final RowMath VECTOR = new VectorRowMath();

    /** An operation on copies of two rows; what it leaves in them and returns is its result. */
    private interface Operation {
        float apply(RowMath math, float[] a, float[] b);
    }

    private record Named(String name, Operation operation) {
        @Override
        public String toString() {
            return name;
        }
    }

    static Stream<Arguments> operations() {
        return Stream.of(
                        new Named("dot", (math, a, b) -> math.dot(a, b, a.length)),
                        new Named("max", (math, a, b) -> math.max(a, a.length)),
                        new Named("multiply", (math, a, b) -> {
                            math.multiply(a, b, a, a.length);
                            return 0;
                        }),
                        new Named("scale", (math, a, b) -> {
                            math.scale(0.3f, a, b, a.length);
                            return 0;
                        }),
                        new Named("combine", (math, a, b) -> {
                            math.combine(0.3f, a, -1.7f, b, b, a.length);
                            return 0;
                        }),
                        new Named("addRows", (math, a, b) -> {
                            int width = a.length / 6;
                            math.addRows(sums(b, width), 2, a, width, width);
                            return 0;
                        }),
                        new Named("addRows in bfloat16", (math, a, b) -> {
                            int width = a.length / 6;
                            short[] halves = new short[a.length];
                            math.round(a, halves, a.length);
                            math.addRows(sums(b, width), 2, halves, width, width);
                            return 0;
                        }),
                        new Named("exponentials", (math, a, b) -> math.exponentials(a, 1.3f, 0.2f, a.length)),
                        new Named("softmaxGradient", (math, a, b) -> {
                            math.softmaxGradient(a, b, 0.125f, b, a.length);
                            return 0;
                        }),
                        new Named("silu", (math, a, b) -> {
                            math.silu(a, a, b, a.length);
                            return 0;
                        }),
                        new Named("geluTanh", (math, a, b) -> {
                            math.geluTanh(a, a, b, a.length);
                            return 0;
                        }),
                        new Named("tanh", (math, a, b) -> {
                            math.tanh(0.4f, a, b, a.length);
                            return 0;
                        }),
                        new Named("rounding", (math, a, b) -> {
                            short[] halves = new short[a.length];
                            math.round(a, halves, a.length);
                            math.widen(halves, b, a.length);
                            return 0;
                        }))
                .flatMap(named -> Stream.of(1, 7, 16, 31, 64, 300, 1000).map(count -> Arguments.of(named, count)));
    }

    /** Four sums of two rows. */
    private static WeightedSums sums(float[] target, int width) {
        float[] weights = {9, 0.3f, -1.7f, 9, 0.7f, 1.1f, 9, -0.2f, 0.5f, 9, 0.6f, -0.9f};
        return new WeightedSums(weights, 1, 3, target, width, width, 4);
    }

    @ParameterizedTest(name = "{0} of {1}")
    @MethodSource("operations")
    void vectorsGiveTheBitsOfTheScalarTwin(Object named, int count) {
        Operation operation = ((Named) named).operation();
        float[][] expected = {numbers(count, 1), numbers(count, 2)};
        float[][] found = {expected[0].clone(), expected[1].clone()};

        float expectedResult = operation.apply(SCALAR, expected[0], expected[1]);
        float foundResult = operation.apply(VECTOR, found[0], found[1]);

        assertThat(foundResult).isEqualTo(expectedResult);
        assertThat(found[0]).isEqualTo(expected[0]);
        assertThat(found[1]).isEqualTo(expected[1]);
    }

    @ParameterizedTest(name = "heads of 2 x {0}")
    @org.junit.jupiter.params.provider.ValueSource(ints = {3, 8, 16, 32, 40})
    void vectorsTurnAsTheScalarTwin(int half) {
        float[] expected = numbers(6 * half, 3);
        float[] found = expected.clone();
        float[] cosines = numbers(half, 4);
        float[] sines = numbers(half, 5);

        SCALAR.turn(expected, 3, cosines, sines, half);
        VECTOR.turn(found, 3, cosines, sines, half);

        assertThat(found).isEqualTo(expected);
    }

    @Test
    void functionsEqualThoseOfJava() {
        for (double x = -80; x < 80; x += 0.37) {
            float argument = (float) x;
            assertThat(SCALAR.exponentials(new float[] {argument}, 1, 0, 1) / Math.exp(argument))
                    .isCloseTo(1, within(EXP_TOLERANCE));
            float[] values = new float[1];
            float[] slopes = new float[1];
            SCALAR.silu(new float[] {argument}, values, slopes, 1);
            assertClose(values[0], silu(argument));
            assertClose(slopes[0], slope(RowMathTest::silu, argument));
            SCALAR.geluTanh(new float[] {argument}, values, slopes, 1);
            assertClose(values[0], gelu(argument));
            assertClose(slopes[0], slope(RowMathTest::gelu, argument));
            SCALAR.tanh(1, new float[] {argument}, values, 1);
            assertClose(values[0], Math.tanh(argument));
        }
    }

    @Test
    void whatIsNoNumberStaysSo() {
        float[] row = {1, Float.NaN, 2};

        assertThat(SCALAR.max(row, 3)).isNaN();
        assertThat(SCALAR.exponentials(row, 1, 0, 3)).isNaN();
        assertThat(VECTOR.exponentials(filled(40, Float.NaN), 1, 0, 40)).isNaN();
    }

    @ParameterizedTest(name = "{0} numbers")
    @org.junit.jupiter.params.provider.ValueSource(ints = {5, 8, 15, 16, 24, 61})
    void exponentsThatFloatsCannotHoldAreHeldAlike(int count) {
        float[] extremes = {Float.NEGATIVE_INFINITY, -1e30f, -87.5f, -87, -0f, 0, 88, 88.5f, Float.POSITIVE_INFINITY};
        float[] expected = new float[count];
        for (int i = 0; i < count; i++) {
            expected[i] = extremes[i % extremes.length];
        }

        float[] found = expected.clone();
        float sum = SCALAR.exponentials(expected, 1, 0, count);

        assertThat(VECTOR.exponentials(found, 1, 0, count)).isEqualTo(sum);
        assertThat(found).isEqualTo(expected);
        assertThat(found[0] / Math.exp(-87)).isCloseTo(1, within(EXP_TOLERANCE));
    }

    private static double silu(double x) {
        return x / (1 + Math.exp(-x));
    }

    private static double gelu(double x) {
        return 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
    }

    private static double slope(java.util.function.DoubleUnaryOperator function, double x) {
        double step = 1e-5;
        return (function.applyAsDouble(x + step) - function.applyAsDouble(x - step)) / (2 * step);
    }

    private static void assertClose(double found, double expected) {
        assertThat(found).isCloseTo(expected, within(TOLERANCE * Math.max(1, Math.abs(expected))));
    }

    private static float[] filled(int count, float value) {
        float[] row = new float[count];
        java.util.Arrays.fill(row, value);
        return row;
    }

    /** Of all sizes that exponents of float32 allow for, and beyond what exp does. */
    private static float[] numbers(int count, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        float[] numbers = new float[count];
        for (int i = 0; i < count; i++) {
            numbers[i] = (float) ((random.nextDouble() - 0.5) * Math.pow(10, random.nextInt(-4, 4)));
        }

        return numbers;
    }
}
