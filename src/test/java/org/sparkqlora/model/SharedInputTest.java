package org.sparkqlora.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.sparkqlora.model.BoundAdapter.Direction;
import org.sparkqlora.model.BoundAdapter.ModuleDropout;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.tensor.Natives;
import org.sparkqlora.tensor.TensorMemory;

/** Adapters whose products are joined, beside the same modules one by one. */
class SharedInputTest {
    /** Sums of up to 32 float32 products of numbers near 1, added in another order. */
    private static final float TOLERANCE = 1e-4f;

    private static final int TOKENS = 7;
    private static final int INPUTS = 32;
    private static final int[] OUTPUTS = {24, 8, 16};
    private static final int[] RANKS = {4, 2, 3};

    private PointerScope scope;

    @BeforeEach
    void open() {
        Natives.load();
        scope = new PointerScope();
        torch.manual_seed(8);
    }

    @AfterEach
    void close() {
        scope.close();
    }

    @Test
    void joinedAdaptersOfDifferentRanksEqualModulesOneByOne() {
        Example example = new Example(null, null);
        SharedInput joined = SharedInput.of(example.modules);
        assertThat(joined).isInstanceOf(JoinedAdapters.class);

        example.assertEqual(joined, new SharedInput.Separate(example.modules));
    }

    @Test
    void anAdapterWithDropoutOrADirectionStaysByItself() {
        ModuleDropout dropout = new ModuleDropout(new Dropout(0.4, 3), "q_proj");
        Direction direction = new Direction(torch.ones(OUTPUTS[0]), torch.ones(OUTPUTS[0]));

        assertThat(SharedInput.of(new Example(dropout, null).modules)).isInstanceOf(SharedInput.Separate.class);
        assertThat(SharedInput.of(new Example(null, direction).modules)).isInstanceOf(SharedInput.Separate.class);
    }

    @Test
    void modulesOfWhichOneHasNoAdapterStayByThemselves() {
        List<LinearPass> modules = new ArrayList<>(new Example(null, null).modules);
        LinearPass last = modules.remove(modules.size() - 1);
        modules.add(new LinearPass(last.weight(), last.bias(), LinearPlace.FROZEN, null));

        assertThat(SharedInput.of(modules)).isInstanceOf(SharedInput.Separate.class);
    }

    private static float[] values(Tensor tensor) {
        float[] values = new float[(int) tensor.numel()];
        TensorMemory.read(tensor.contiguous(), values, values.length);
        return values;
    }

    private static float[] values(FlatVector vector) {
        float[] values = new float[(int) vector.length()];
        vector.read(0, values, 0, values.length);
        return values;
    }

    /** Modules of random numbers, biases included. */
    private static final class Example {
        private final List<LinearPass> modules = new ArrayList<>();
        private final List<Tensor> outputGradients = new ArrayList<>();
        private final Tensor input = torch.randn(TOKENS, INPUTS);
        private final ParameterIndex index;

        Example(@Nullable ModuleDropout dropout, @Nullable Direction direction) {
            ParameterIndex.Builder builder = ParameterIndex.builder();
            for (int i = 0; i < OUTPUTS.length; i++) {
                AdapterPlace place = new AdapterPlace(
                        builder.add("m%d.lora_A.weight".formatted(i), RANKS[i], INPUTS),
                        builder.add("m%d.lora_B.weight".formatted(i), OUTPUTS[i], RANKS[i]),
                        null,
                        1.5);
                BoundAdapter adapter = new BoundAdapter(
                        torch.randn(RANKS[i], INPUTS), torch.randn(OUTPUTS[i], RANKS[i]), 1.5, direction, dropout);
                modules.add(new LinearPass(
                        torch.randn(OUTPUTS[i], INPUTS),
                        torch.randn(OUTPUTS[i]),
                        new LinearPlace(null, builder.add("m%d.bias".formatted(i), OUTPUTS[i]), place),
                        adapter));
                outputGradients.add(torch.randn(TOKENS, OUTPUTS[i]));
            }

            index = builder.build();
        }

        void assertEqual(SharedInput found, SharedInput expected) {
            SharedInput.Recorded made = found.apply(input);
            SharedInput.Recorded wanted = expected.apply(input);
            for (int i = 0; i < OUTPUTS.length; i++) {
                assertThat(values(made.outputs().get(i)))
                        .containsExactly(values(wanted.outputs().get(i)), within(TOLERANCE));
            }

            FlatVector gradient = FlatVector.zeros(index.size());
            FlatVector wantedGradient = FlatVector.zeros(index.size());
            Tensor dInput = found.backward(outputGradients, made.tapes(), new GradientSum(gradient));
            Tensor wantedInput = expected.backward(outputGradients, wanted.tapes(), new GradientSum(wantedGradient));

            assertThat(values(dInput)).containsExactly(values(wantedInput), within(TOLERANCE));
            assertThat(values(gradient)).containsExactly(values(wantedGradient), within(TOLERANCE));
        }
    }
}
