package org.sparkqlora.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Objects;
import java.util.SplittableRandom;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.sparkqlora.model.adapter.BoundAdapter;
import org.sparkqlora.model.adapter.BoundAdapter.Adapted;
import org.sparkqlora.model.adapter.BoundAdapter.Direction;
import org.sparkqlora.model.adapter.BoundAdapter.ModuleDropout;
import org.sparkqlora.model.adapter.Dropout;
import org.sparkqlora.model.layout.LinearPlace;
import org.sparkqlora.model.layout.Parameter;
import org.sparkqlora.model.layout.ParameterIndex;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.tensor.Natives;
import org.sparkqlora.tensor.TensorMemory;

/** One adapted module alone, DoRA's norm held: gradients beside finite differences of {@code sum(r y)} for a random r. */
class LinearPassTest {
    // The loss is at most of second order in each of A, B and x, so differences are exact but for float32 rounding.
    private static final double TOLERANCE = 2e-3;
    private static final float STEP = 0.05f;

    private static final int TOKENS = 6;
    private static final int INPUTS = 10;
    private static final int OUTPUTS = 8;
    private static final int RANK = 3;

    private PointerScope scope;

    enum Kind {
        PLAIN,
        DROPPING,
        DECOMPOSED,
        DECOMPOSED_AND_DROPPING
    }

    @BeforeAll
    static void loadLibtorch() {
        Natives.load();
    }

    @BeforeEach
    void open() {
        scope = new PointerScope();
    }

    @AfterEach
    void close() {
        scope.close();
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void gradientsEqualFiniteDifferences(Kind kind) {
        Example example = new Example(kind);
        FlatVector gradients = FlatVector.zeros(example.index.size());

        LinearPass.Recorded recorded = example.pass.apply(example.input);
        Tensor dInput = example.pass.backward(example.weights, recorded.tape(), new GradientAccumulator(gradients));

        assertThat(values(dInput)).hasSize(TOKENS * INPUTS);
        example.assertGradient(example.input, values(dInput));
        example.assertGradient(example.down, read(gradients, example.place.down()));
        example.assertGradient(example.up, read(gradients, example.place.up()));
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void theTapeWithoutAnOutputHoldsWhatTheOtherHolds(Kind kind) {
        Example example = new Example(kind);

        Adapted recorded = adapted(example.pass.apply(example.input).tape());
        Adapted alone = adapted(example.pass.tape(example.input));

        assertThat(values(alone.low())).isEqualTo(values(recorded.low()));
        assertThat(values(alone.seen())).isEqualTo(values(recorded.seen()));
        assertThat(alone.directed() == null).isEqualTo(recorded.directed() == null);
    }

    @Test
    void dropoutLeavesTheBaseAlone() {
        Example example = new Example(Kind.DROPPING);
        example.up.zero_();

        Tensor output = example.pass.apply(example.input).output();

        assertThat(values(output))
                .isEqualTo(values(example.withoutAdapter().apply(example.input).output()));
    }

    private static Adapted adapted(LinearPass.Tape tape) {
        return Objects.requireNonNull(tape.adapted());
    }

    private static float[] values(Tensor tensor) {
        float[] values = new float[(int) tensor.numel()];
        TensorMemory.read(tensor.contiguous(), values, values.length);
        return values;
    }

    private static float[] read(FlatVector vector, Parameter parameter) {
        float[] values = new float[(int) parameter.size()];
        vector.read(parameter.offset(), values, 0, values.length);
        return values;
    }

    /** A module of random numbers. */
    private static final class Example {
        private final SplittableRandom random = new SplittableRandom(6);
        private final Tensor input = random(TOKENS, INPUTS);
        private final Tensor weight = random(OUTPUTS, INPUTS);
        private final Tensor bias = random(OUTPUTS);
        private final Tensor down = random(RANK, INPUTS);
        private final Tensor up = random(OUTPUTS, RANK);
        private final Tensor weights = random(TOKENS, OUTPUTS);
        private final LinearPlace.Adapter place;
        private final ParameterIndex index;
        private final LinearPass pass;

        Example(Kind kind) {
            boolean decomposed = kind == Kind.DECOMPOSED || kind == Kind.DECOMPOSED_AND_DROPPING;
            boolean dropping = kind == Kind.DROPPING || kind == Kind.DECOMPOSED_AND_DROPPING;
            ParameterIndex.Builder builder = ParameterIndex.builder();
            this.place = new LinearPlace.Adapter(
                    builder.add("q_proj.lora_A.weight", RANK, INPUTS),
                    builder.add("q_proj.lora_B.weight", OUTPUTS, RANK),
                    decomposed ? builder.add("q_proj.lora_magnitude_vector", OUTPUTS) : null,
                    1.5);
            this.index = builder.build();
            BoundAdapter adapter = new BoundAdapter(
                    down,
                    up,
                    1.5,
                    decomposed ? new Direction(random(OUTPUTS), random(OUTPUTS)) : null,
                    dropping ? new ModuleDropout(new Dropout(0.4, 3), "q_proj") : null);
            this.pass = new LinearPass(weight, bias, new LinearPlace(null, null, place), adapter);
        }

        LinearPass withoutAdapter() {
            return new LinearPass(weight, bias, LinearPlace.FROZEN, null);
        }

        void assertGradient(Tensor variable, float[] gradient) {
            float[] start = values(variable);
            for (int i = 0; i < start.length; i++) {
                double above = lossWith(variable, start, i, STEP);
                double below = lossWith(variable, start, i, -STEP);
                assertThat((above - below) / (2 * STEP)).isCloseTo(gradient[i], within(TOLERANCE));
            }
        }

        private double lossWith(Tensor variable, float[] start, int moved, float step) {
            float[] changed = start.clone();
            changed[moved] += step;
            TensorMemory.write(variable, changed, changed.length);
            double loss = 0;
            float[] output = values(pass.apply(input).output());
            float[] factors = values(weights);
            for (int i = 0; i < output.length; i++) {
                loss += (double) output[i] * factors[i];
            }

            TensorMemory.write(variable, start, start.length);
            return loss;
        }

        private Tensor random(int... shape) {
            int size = 1;
            long[] sizes = new long[shape.length];
            for (int i = 0; i < shape.length; i++) {
                size *= shape[i];
                sizes[i] = shape[i];
            }

            float[] values = new float[size];
            for (int i = 0; i < size; i++) {
                values[i] = (float) random.nextDouble(-1, 1);
            }

            return TensorMemory.floats(values, sizes).to(ScalarType.Float);
        }
    }
}
