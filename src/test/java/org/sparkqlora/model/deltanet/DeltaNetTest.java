package org.sparkqlora.model.deltanet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.tensor.ComputeThread;
import org.sparkqlora.tensor.Natives;
import org.sparkqlora.tensor.TensorMemory;
import org.sparkqlora.weights.family.DeltaNetShape;

/** Chunks beside the recurrence that they compute, {@link RecurrentTwin}, at any lengths of documents. */
class DeltaNetTest {
    /** Of more heads than are computed together. */
    private static final DeltaNetShape SHAPE = new DeltaNetShape(5, 10, 6, 5, 4);

    private static final double EPSILON = 1e-6;
    private static final int ROWS = 224;

    /** Documents of one token, of part of a chunk, of exactly one, and of several; rows of no document lie behind them. */
    private static final List<Span> DOCUMENTS =
            List.of(new Span(0, 1), new Span(1, 130), new Span(131, 10), new Span(141, 64), new Span(205, 3));

    /** Of outputs of about 1 in float32. */
    private static final double TOLERANCE = 2e-5;

    /** Of gradients, as a share of the largest, beside differences of float64. */
    private static final double GRADIENT_TOLERANCE = 1e-4;

    private static final double STEP = 1e-5;

    @BeforeAll
    static void load() {
        Natives.load();
    }

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {1, 2, 3})
    void chunksEqualTheRecurrenceOfEachDocument(long seed) {
        double[][] in = inputs(seed);

        float[] output = inThread(() -> floats(net(DOCUMENTS, ROWS).forward(tensors(in, 0, ROWS), List.of())));

        for (Span document : DOCUMENTS) {
            double[] expected = new RecurrentTwin(SHAPE, EPSILON, in).output(document.start(), document.length());
            for (int i = 0; i < expected.length; i++) {
                assertThat((double) output[document.start() * SHAPE.valueWidth() + i])
                        .isCloseTo(expected[i], within(TOLERANCE));
            }
        }
    }

    @Test
    void rowsOfNoDocumentGiveZeros() {
        double[][] in = inputs(4);

        float[] output = inThread(() -> floats(net(DOCUMENTS, ROWS).forward(tensors(in, 0, ROWS), List.of())));

        for (int i = 208 * SHAPE.valueWidth(); i < output.length; i++) {
            assertThat((double) output[i]).isZero();
        }
    }

    @ParameterizedTest(name = "cut at {0}")
    @ValueSource(ints = {1, 2, 63, 64, 65, 100})
    void stateGoesOnWhereATextWasCut(int cut) {
        int length = 140;
        double[][] in = inputs(5);

        List<float[]> parts = inThread(() -> {
            RecurrentState state = new RecurrentState();
            List<float[]> made = new ArrayList<>();
            int at = 0;
            for (int piece : new int[] {cut, 1, length - cut - 1}) {
                made.add(floats(
                        net(List.of(new Span(0, piece)), piece).forward(tensors(in, at, piece), List.of(state))));
                at += piece;
            }

            state.close();
            return made;
        });

        double[] expected = new RecurrentTwin(SHAPE, EPSILON, in).output(0, length);
        int at = 0;
        for (float[] part : parts) {
            for (float value : part) {
                assertThat((double) value).isCloseTo(expected[at++], within(TOLERANCE));
            }
        }

        assertThat(at).isEqualTo(expected.length);
    }

    @Test
    void eachOfManyTextsGoesOnFromItsOwnState() {
        double[][] in = inputs(6);
        List<Span> prompts = List.of(new Span(0, 3), new Span(3, 70), new Span(73, 20));
        int[] starts = {0, 80, 160};

        float[] last = inThread(() -> {
            List<RecurrentState> states =
                    Stream.generate(RecurrentState::new).limit(3).toList();
            for (int i = 0; i < 3; i++) {
                int length = prompts.get(i).length();
                net(List.of(new Span(0, length)), length)
                        .forward(tensors(in, starts[i], length), List.of(states.get(i)));
            }

            double[][] next = rows(in, starts[0] + 3, starts[1] + 70, starts[2] + 20);
            float[] made = floats(net(List.of(new Span(0, 1), new Span(1, 1), new Span(2, 1)), 3)
                    .forward(tensors(next, 0, 3), states));
            states.forEach(RecurrentState::close);
            return made;
        });

        for (int i = 0; i < 3; i++) {
            int length = prompts.get(i).length() + 1;
            double[] expected = new RecurrentTwin(SHAPE, EPSILON, in).output(starts[i], length);
            for (int v = 0; v < SHAPE.valueWidth(); v++) {
                assertThat((double) last[i * SHAPE.valueWidth() + v])
                        .isCloseTo(expected[(length - 1) * SHAPE.valueWidth() + v], within(TOLERANCE));
            }
        }
    }

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {7, 8})
    void gradientsOfAllInputsEqualDifferencesOfTheRecurrence(long seed) {
        double[][] in = inputs(seed);
        double[] weights = new SplittableRandom(seed)
                .doubles(ROWS * SHAPE.valueWidth(), -1, 1)
                .toArray();

        List<float[]> gradients =
                inThread(() -> net(DOCUMENTS, ROWS)
                        .backward(tensors(in, 0, ROWS), in.length, tensor(weights, ROWS, SHAPE.valueWidth()))
                        .stream()
                        .map(DeltaNetTest::floats)
                        .toList());

        SplittableRandom chosen = new SplittableRandom(seed);
        for (int input = 0; input < in.length; input++) {
            float[] gradient = gradients.get(input);
            double largest = 0;
            for (float value : gradient) {
                largest = Math.max(largest, Math.abs(value));
            }

            for (int i = 0; i < 12; i++) {
                int at = chosen.nextInt(in[input].length);
                assertThat((double) gradient[at])
                        .as("input %d at %d", input, at)
                        .isCloseTo(difference(in, input, at, weights), within(GRADIENT_TOLERANCE * largest));
            }
        }
    }

    private static double difference(double[][] in, int input, int at, double[] weights) {
        double value = in[input][at];
        in[input][at] = value + STEP;
        double above = weighted(in, weights);
        in[input][at] = value - STEP;
        double below = weighted(in, weights);
        in[input][at] = value;
        return (above - below) / (2 * STEP);
    }

    private static double weighted(double[][] in, double[] weights) {
        double sum = 0;
        for (Span document : DOCUMENTS) {
            double[] output = new RecurrentTwin(SHAPE, EPSILON, in).output(document.start(), document.length());
            for (int i = 0; i < output.length; i++) {
                sum += output[i] * weights[document.start() * SHAPE.valueWidth() + i];
            }
        }

        return sum;
    }

    private static DeltaNet net(List<Span> documents, int rows) {
        return new DeltaNet(SHAPE, EPSILON, documents, rows);
    }

    /** In a thread like those of passes, which is not made for autograd. */
    private static <R> R inThread(Supplier<R> body) {
        try (ComputeThread thread = new ComputeThread(false)) {
            return thread.call(() -> {
                try (PointerScope scope = new PointerScope()) {
                    return body.get();
                }
            });
        }
    }

    /** Numbers that float32 holds, so that both compute with the same. */
    private static double[][] inputs(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        int[] sizes = sizes(ROWS);
        double[][] in = new double[sizes.length][];
        for (int i = 0; i < in.length; i++) {
            double centre = i == 6 ? -2.5 : i == 7 ? 1 : 0;
            in[i] = random.doubles(sizes[i], -1, 1)
                    .map(x -> (float) (centre + x))
                    .toArray();
        }

        return in;
    }

    private static int[] sizes(int rows) {
        return new int[] {
            rows * SHAPE.channels(),
            rows * SHAPE.valueWidth(),
            rows * SHAPE.valueHeads(),
            rows * SHAPE.valueHeads(),
            SHAPE.channels() * SHAPE.kernel(),
            SHAPE.valueHeads(),
            SHAPE.valueHeads(),
            SHAPE.valueSize()
        };
    }

    private static double[][] rows(double[][] in, int... rows) {
        double[][] chosen = in.clone();
        for (int i = 0; i < DeltaInputs.PROJECTED; i++) {
            int width = in[i].length / ROWS;
            chosen[i] = new double[rows.length * width];
            for (int row = 0; row < rows.length; row++) {
                System.arraycopy(in[i], rows[row] * width, chosen[i], row * width, width);
            }
        }

        return chosen;
    }

    private static DeltaInputs tensors(double[][] in, int from, int rows) {
        return new DeltaInputs(
                part(in[0], from, rows, SHAPE.channels()),
                part(in[1], from, rows, SHAPE.valueWidth()),
                part(in[2], from, rows, SHAPE.valueHeads()),
                part(in[3], from, rows, SHAPE.valueHeads()),
                tensor(in[4], SHAPE.channels(), 1, SHAPE.kernel()),
                tensor(in[5], SHAPE.valueHeads()),
                tensor(in[6], SHAPE.valueHeads()),
                tensor(in[7], SHAPE.valueSize()));
    }

    private static Tensor part(double[] values, int from, int rows, int width) {
        return tensor(Arrays.copyOfRange(values, from * width, (from + rows) * width), rows, width);
    }

    private static Tensor tensor(double[] values, long... shape) {
        float[] floats = new float[values.length];
        for (int i = 0; i < floats.length; i++) {
            floats[i] = (float) values[i];
        }

        return TensorMemory.floats(floats, shape);
    }

    private static float[] floats(Tensor tensor) {
        float[] values = new float[Math.toIntExact(tensor.numel())];
        TensorMemory.read(tensor.contiguous(), values, values.length);
        return values;
    }
}
