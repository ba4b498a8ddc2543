package org.sparkqlora.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.sparkqlora.model.layout.Precision;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.tensor.Hardware;
import org.sparkqlora.tensor.Natives;

/** Outputs and gradients of packed documents beside the formulas in double, query by query. */
class CausalAttentionTest {
    private static final int HEADS = 4;
    private static final int KEY_HEADS = 2;
    private static final int SIZE = 16;
    private static final double SCALE = 0.25;

    /** Below, at and beyond what is computed at once. */
    private static final int[] DOCUMENTS = {1, 70, 256, 301};

    @BeforeAll
    static void load() {
        Natives.load();
    }

    static Stream<Arguments> settings() {
        return Stream.of(OptionalInt.empty(), OptionalInt.of(40))
                .flatMap(window -> Stream.of(Precision.FP32, Precision.BF16)
                        .flatMap(
                                precision -> Stream.of(1, 2).map(threads -> Arguments.of(window, precision, threads))));
    }

    @ParameterizedTest(name = "window {0}, {1}, {2} threads")
    @MethodSource("settings")
    void isWhatTheFormulasSay(OptionalInt window, Precision precision, int threads) {
        try (Workers workers = new Workers(threads);
                PointerScope scope = new PointerScope()) {
            Hardware processor = Hardware.processor(workers);
            RandomAttention random = RandomAttention.of(640, DOCUMENTS, HEADS, KEY_HEADS, SIZE, precision);
            List<Tensor> found = random.run(
                    new CausalAttention(SCALE, window, OptionalDouble.empty(), processor), processor, precision, false);

            Formulas expected = new Formulas(
                    random.inputs().stream().map(CausalAttentionTest::numbers).toList(),
                    window.orElse(Integer.MAX_VALUE));
            expected.run();
            List<double[]> wanted = List.of(expected.output, expected.dQuery, expected.dKey, expected.dValue);
            for (int i = 0; i < wanted.size(); i++) {
                assertThat(distance(wanted.get(i), numbers(found.get(i))))
                        .as("output and gradients of queries, keys, values: %d", i)
                        .isLessThanOrEqualTo(rounding(precision));
            }
        }
    }

    /** As a share of the largest number: in bf16 probabilities, scores and results are rounded to 8 bits. */
    private static double rounding(Precision precision) {
        return precision == Precision.FP32 ? 2e-6 : 0.01;
    }

    private static double[] numbers(Tensor tensor) {
        float[] floats = RandomAttention.floats(tensor);
        return IntStream.range(0, floats.length).mapToDouble(i -> floats[i]).toArray();
    }

    private static double distance(double[] expected, double[] found) {
        double largest = 0;
        double distance = 0;
        for (int i = 0; i < expected.length; i++) {
            largest = Math.max(largest, Math.abs(expected[i]));
            distance = Math.max(distance, Math.abs(expected[i] - found[i]));
        }

        return distance / largest;
    }

    /** Arrays of (T, heads, d). */
    private static final class Formulas {
        private final double[] query;
        private final double[] key;
        private final double[] value;
        private final double[] dOutput;
        private final int window;
        private final double[] output;
        private final double[] dQuery;
        private final double[] dKey;
        private final double[] dValue;

        Formulas(List<double[]> inputs, int window) {
            this.query = inputs.get(0);
            this.key = inputs.get(1);
            this.value = inputs.get(2);
            this.dOutput = inputs.get(3);
            this.window = window;
            this.output = new double[query.length];
            this.dQuery = new double[query.length];
            this.dKey = new double[key.length];
            this.dValue = new double[value.length];
        }

        void run() {
            int start = 0;
            for (int document : DOCUMENTS) {
                for (int token = start; token < start + document; token++) {
                    for (int head = 0; head < HEADS; head++) {
                        attend(Math.max(start, token - window + 1), token, head);
                    }
                }

                start += document;
            }
        }

        private void attend(int first, int token, int head) {
            int at = (token * HEADS + head) * SIZE;
            double[] p = new double[token - first + 1];
            double[] dP = new double[p.length];
            double sum = 0;
            for (int j = 0; j < p.length; j++) {
                int of = keyAt(first + j, head);
                p[j] = Math.exp(SCALE * dot(query, at, key, of));
                dP[j] = dot(dOutput, at, value, of);
                sum += p[j];
            }

            double projection = 0;
            for (int j = 0; j < p.length; j++) {
                p[j] /= sum;
                projection += p[j] * dP[j];
            }

            for (int j = 0; j < p.length; j++) {
                int of = keyAt(first + j, head);
                double dScore = SCALE * p[j] * (dP[j] - projection);
                add(output, at, p[j], value, of);
                add(dQuery, at, dScore, key, of);
                add(dKey, of, dScore, query, at);
                add(dValue, of, p[j], dOutput, at);
            }
        }

        private static int keyAt(int token, int head) {
            return (token * KEY_HEADS + head / (HEADS / KEY_HEADS)) * SIZE;
        }

        private static double dot(double[] a, int at, double[] b, int of) {
            double sum = 0;
            for (int i = 0; i < SIZE; i++) {
                sum += a[at + i] * b[of + i];
            }

            return sum;
        }

        private static void add(double[] sum, int at, double factor, double[] numbers, int of) {
            for (int i = 0; i < SIZE; i++) {
                sum[at + i] += factor * numbers[of + i];
            }
        }
    }
}
