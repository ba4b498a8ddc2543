package org.sparkqlora.model.generation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.sparkqlora.model.elementwise.AttentionSinks;
import org.sparkqlora.quant.Bfloat16;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.tensor.Hardware;
import org.sparkqlora.tensor.Natives;
import org.sparkqlora.tensor.RowMath;
import org.sparkqlora.tensor.TensorMemory;
import org.sparkqlora.tensor.TensorRows;

/** A text that passes token by token, after a beginning that passes whole, beside attention in double. */
class CachedAttentionTest {
    /** Rounding of some 150 products and sums in float32, whose results are below 3. */
    private static final double TOLERANCE = 5e-6;

    private static final int TOKENS = 150; // blocks of 64: two whole and a part
    private static final int HEADS = 2;
    private static final int QUERIES = 3;
    private static final int SIZE = 20;
    private static final double SCALE = 0.3;

    /** The first takes nearly all, the second nearly nothing. */
    private static final List<Float> SINKS = List.of(40f, -40f, 0.5f, 2f, -1f, 0f);

    private static final List<Float> WITHOUT = List.of();

    private final RowMath math = RowMath.fastest();

    @BeforeAll
    static void loadLibtorch() {
        Natives.load();
    }

    static Stream<Arguments> attentions() {
        return Stream.of(ScalarType.Float, ScalarType.BFloat16)
                .flatMap(type -> Stream.of(1, 63, 64, 100)
                        .flatMap(begun -> Stream.of(
                                Arguments.of(type, begun, OptionalInt.empty(), OptionalDouble.empty(), WITHOUT),
                                Arguments.of(type, begun, OptionalInt.of(70), OptionalDouble.empty(), SINKS),
                                Arguments.of(type, begun, OptionalInt.of(5), OptionalDouble.of(2), SINKS),
                                Arguments.of(type, begun, OptionalInt.of(5), OptionalDouble.of(2), WITHOUT))));
    }

    @ParameterizedTest(name = "{0}, {1} tokens begun, window {2}, cap {3}, sinks {4}")
    @MethodSource("attentions")
    void outputsAreThoseOfAttentionInDouble(
            ScalarType type, int begun, OptionalInt window, OptionalDouble cap, List<Float> sinks) {
        float[][] queries = numbers(1, HEADS * QUERIES * SIZE);
        float[][] keys = numbers(2, HEADS * SIZE);
        float[][] values = numbers(3, HEADS * SIZE);
        try (PointerScope scope = new PointerScope();
                KeyValueRows rows = new KeyValueRows(type, HEADS, SIZE, TOKENS, math);
                Workers workers = new Workers(1)) {
            CachedAttention attention =
                    new CachedAttention(SIZE, QUERIES, SCALE, window, cap, sinks(sinks, Hardware.processor(workers)));
            rows.fill(rows(type, keys), rows(type, values), 0, 0, begun);
            KeyValueRows.Room room = new KeyValueRows.Room(type, HEADS, SIZE);
            float[] output = new float[HEADS * QUERIES * SIZE];
            for (int place = begun; place < TOKENS; place++) {
                CachedAttention.Token token = new CachedAttention.Token(queries[place], keys[place], values[place]);
                attention.attend(rows.heads(0, HEADS, room), place, token, output, math);

                float[] second = attendOfSecondHead(attention, rows.heads(1, 1, room), place, token);
                assertThat(second).isEqualTo(part(output, 1, QUERIES * SIZE));
                for (int head = 0; head < HEADS; head++) {
                    double[] expected = expected(queries, keys, values, place, head, window, cap, sinks);
                    for (int i = 0; i < expected.length; i++) {
                        assertThat((double) output[head * expected.length + i])
                                .as("token %d, head %d, number %d", place, head, i)
                                .isCloseTo(expected[i], within(TOLERANCE));
                    }
                }
            }

            assertThat(numbers(rows.keys(TOKENS))).isDeepEqualTo(keys);
            assertThat(numbers(rows.values(TOKENS))).isDeepEqualTo(values);
        }
    }

    private static @Nullable AttentionSinks sinks(List<Float> logits, Hardware processor) {
        if (logits.isEmpty()) {
            return null;
        }

        float[] values = new float[logits.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = logits.get(i);
        }

        return AttentionSinks.of(TensorMemory.floats(values, values.length), processor);
    }

    private float[] attendOfSecondHead(
            CachedAttention attention, KeyValueRows.Heads head, int place, CachedAttention.Token token) {
        float[] output = new float[QUERIES * SIZE];
        CachedAttention.Token second = new CachedAttention.Token(
                part(token.query(), 1, QUERIES * SIZE), part(token.key(), 1, SIZE), part(token.value(), 1, SIZE));
        attention.attend(head, place, second, output, math);
        return output;
    }

    private float[][] numbers(Tensor tensor) {
        TensorRows rows = TensorRows.of(tensor.contiguous(), HEADS * SIZE, 0, TOKENS, math);
        float[][] numbers = new float[TOKENS][HEADS * SIZE];
        for (int i = 0; i < TOKENS; i++) {
            rows.load(i, numbers[i]);
        }

        return numbers;
    }

    private static double[] expected(
            float[][] queries,
            float[][] keys,
            float[][] values,
            int place,
            int head,
            OptionalInt window,
            OptionalDouble cap,
            List<Float> sinks) {
        int first = window.isPresent() ? Math.max(0, place + 1 - window.getAsInt()) : 0;
        double[] output = new double[QUERIES * SIZE];
        for (int query = 0; query < QUERIES; query++) {
            double[] weights = new double[place + 1];
            double total = sinks.isEmpty() ? 0 : Math.exp(sinks.get(head * QUERIES + query));
            for (int t = first; t <= place; t++) {
                double score = 0;
                for (int d = 0; d < SIZE; d++) {
                    score += SCALE * queries[place][(head * QUERIES + query) * SIZE + d] * keys[t][head * SIZE + d];
                }

                weights[t] =
                        Math.exp(cap.isPresent() ? cap.getAsDouble() * Math.tanh(score / cap.getAsDouble()) : score);
                total += weights[t];
            }

            for (int t = first; t <= place; t++) {
                for (int d = 0; d < SIZE; d++) {
                    output[query * SIZE + d] += weights[t] / total * values[t][head * SIZE + d];
                }
            }
        }

        return output;
    }

    private TensorRows rows(ScalarType type, float[][] numbers) {
        int width = numbers[0].length;
        Tensor tensor = TensorMemory.empty(type, numbers.length, width);
        TensorRows rows = TensorRows.of(tensor, width, 0, numbers.length, math);
        for (int i = 0; i < numbers.length; i++) {
            rows.store(i, numbers[i]);
        }

        return rows;
    }

    private static float[] part(float[] all, int head, int width) {
        float[] part = new float[width];
        System.arraycopy(all, head * width, part, 0, width);
        return part;
    }

    /** Numbers that bfloat16 holds, a row a token. */
    private static float[][] numbers(long seed, int width) {
        SplittableRandom random = new SplittableRandom(seed);
        float[][] numbers = new float[TOKENS][width];
        for (float[] row : numbers) {
            for (int i = 0; i < width; i++) {
                row[i] = Bfloat16.widen(Bfloat16.round((float) (3 * random.nextDouble() - 1.5)));
            }
        }

        return numbers;
    }
}
