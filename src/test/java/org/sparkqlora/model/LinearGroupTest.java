package org.sparkqlora.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sparkqlora.model.adapter.BoundAdapter;
import org.sparkqlora.model.layout.LinearPlace;
import org.sparkqlora.model.layout.Parameter;
import org.sparkqlora.model.layout.ParameterIndex;
import org.sparkqlora.model.shared.WeightBuffers;
import org.sparkqlora.tensor.BaseMatrix;
import org.sparkqlora.tensor.ComputeThreads;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.tensor.Hardware;
import org.sparkqlora.tensor.Natives;
import org.sparkqlora.tensor.TensorMemory;
import org.sparkqlora.tensor.TensorScope;
import org.sparkqlora.weights.family.Projection;
import org.sparkqlora.weights.family.ProjectionShape;

/** Modules joined in one matrix, beside the same modules one by one. */
class LinearGroupTest {
    /** Sums of up to 48 float32 products of numbers near 1, added in another order. */
    private static final float TOLERANCE = 1e-4f;

    private static final int TOKENS = 7;
    private static final int INPUTS = 32;
    private static final Projection[] PROJECTIONS = {Projection.QUERY, Projection.KEY, Projection.VALUE};
    private static final int[] OUTPUTS = {24, 8, 16};
    private static final int NO_ADAPTER = 0;

    private PointerScope scope;
    private Workspace workspace;

    @BeforeEach
    void open() {
        Natives.load();
        scope = new PointerScope();
        workspace = workspace(ScalarType.Float);
        torch.manual_seed(8);
    }

    @AfterEach
    void close() {
        workspace.buffers().close();
        workspace.threads().close();
        scope.close();
    }

    @Test
    void adaptersOfDifferentRanksEqualModulesOneByOne() {
        assertEqualOneByOne(new Example(4, 2, 3));
    }

    @Test
    void aModuleWithoutAnAdapterIsJoinedToo() {
        assertEqualOneByOne(new Example(4, NO_ADAPTER, 3));
    }

    @Test
    void whatTheRoomHeldBeforeIsGone() {
        new Example(8, 8, 8).joined();

        assertEqualOneByOne(new Example(1, 2, 1));
    }

    @Test
    void anInputThatLiesAnywhereIsCopied() {
        Example example = new Example(4, 2, 3);
        LinearGroup joined = example.joined();
        Tensor padded = joined.buffer(TOKENS).copy_(example.input);

        List<Tensor> copied = joined.apply(example.input).outputs();
        List<Tensor> placed = joined.apply(padded).outputs();

        for (int i = 0; i < OUTPUTS.length; i++) {
            assertThat(values(placed.get(i))).isEqualTo(values(copied.get(i)));
        }
    }

    @Test
    void theTapeWithoutOutputsHoldsWhatTheOtherHolds() {
        Example example = new Example(4, 2, 3);
        LinearGroup joined = example.joined();

        assertThat(values(joined.tapes(example.input).get(0).input()))
                .isEqualTo(values(joined.apply(example.input).tapes().get(0).input()));
    }

    /** oneDNN reads behind the last column where that is within a tile. */
    @ParameterizedTest
    @CsvSource({"48, 72", "40, 600", "64, 96"})
    void whatMemoryHeldBehindARowNeverReachesAProduct(int inputs, int outputs) {
        int tokens = 32;
        Workspace halves = workspace(ScalarType.BFloat16);
        try (WeightBuffers buffers = halves.buffers();
                ComputeThreads threads = halves.threads()) {
            ParameterIndex.Builder builder = ParameterIndex.builder();
            LinearPlace.Adapter adapter = new LinearPlace.Adapter(
                    builder.add("lora_A.weight", 4, inputs), builder.add("lora_B.weight", outputs, 4), null, 2);
            ParameterIndex index = builder.build();
            FlatVector numbers = FlatVector.zeros(index.size());
            BoundParameters parameters = new BoundParameters(index, numbers, ScalarType.BFloat16, halves.hardware());
            LinearGroup joined = FusedLoraLinears.of(
                    List.of(new FusedLoraLinears.Source(
                            Projection.DOWN,
                            new ProjectionShape(outputs, inputs),
                            new BaseMatrix.Dense(torch.randn(outputs, inputs).to(ScalarType.BFloat16)),
                            null,
                            new LinearPlace(null, null, adapter))),
                    parameters,
                    halves);

            poison(tokens, inputs + FusedLoraLinears.TILE);
            Tensor input = joined.buffer(tokens).copy_(torch.ones(tokens, inputs));
            LinearGroup.Recorded made = joined.apply(input);
            poison(tokens, outputs + FusedLoraLinears.TILE);
            Tensor gradient = joined.gradientBuffers(tokens).get(0).copy_(torch.ones(tokens, outputs));
            FlatVector sums = FlatVector.zeros(index.size());
            Tensor dInput = joined.backward(List.of(gradient), made.tapes(), new GradientAccumulator(sums));

            assertThat(values(made.outputs().get(0).to(ScalarType.Float))).doesNotContain(Float.NaN);
            assertThat(values(dInput.to(ScalarType.Float))).doesNotContain(Float.NaN);
            assertThat(values(sums)).doesNotContain(Float.NaN);
        }
    }

    /** Leaves free memory of this size that holds no numbers, which malloc hands out next. */
    private static void poison(long rows, long columns) {
        TensorScope.run(
                () -> TensorMemory.empty(ScalarType.BFloat16, rows, columns).fill_(new Scalar(Double.NaN)));
    }

    private static void assertEqualOneByOne(Example example) {
        LinearGroup joined = example.joined();
        LinearGroup separate = new LinearGroup.Separate(example.oneByOne());
        LinearGroup.Recorded made = joined.apply(example.input);
        LinearGroup.Recorded wanted = separate.apply(example.input);
        for (int i = 0; i < OUTPUTS.length; i++) {
            assertThat(values(made.outputs().get(i)))
                    .containsExactly(values(wanted.outputs().get(i)), within(TOLERANCE));
        }

        FlatVector gradient = FlatVector.zeros(example.index.size());
        FlatVector wantedGradient = FlatVector.zeros(example.index.size());
        Tensor dInput = joined.backward(example.gradientsIn(joined), made.tapes(), new GradientAccumulator(gradient));
        Tensor wantedInput = separate.backward(
                example.gradientsIn(separate), wanted.tapes(), new GradientAccumulator(wantedGradient));

        assertThat(values(dInput)).containsExactly(values(wantedInput), within(TOLERANCE));
        assertThat(values(gradient)).containsExactly(values(wantedGradient), within(TOLERANCE));
    }

    private static Workspace workspace(ScalarType type) {
        ComputeThreads threads = ComputeThreads.of(1, Hardware::processor);
        return new Workspace(new WeightBuffers(type, threads.hardware()), threads);
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

    /** Modules of random numbers, two of three with biases that train. */
    private final class Example {
        private static final double SCALE = 1.5;

        private final List<Tensor> weights = new ArrayList<>();
        private final List<LinearPlace> places = new ArrayList<>();
        private final List<Tensor> outputGradients = new ArrayList<>();
        private final Tensor input = torch.randn(TOKENS, INPUTS);
        private final ParameterIndex index;
        private final BoundParameters parameters;

        Example(int... ranks) {
            ParameterIndex.Builder builder = ParameterIndex.builder();
            for (int i = 0; i < OUTPUTS.length; i++) {
                LinearPlace.Adapter adapter = ranks[i] == NO_ADAPTER
                        ? null
                        : new LinearPlace.Adapter(
                                builder.add("m%d.lora_A.weight".formatted(i), ranks[i], INPUTS),
                                builder.add("m%d.lora_B.weight".formatted(i), OUTPUTS[i], ranks[i]),
                                null,
                                SCALE);
                Parameter bias = i == 1 ? null : builder.add("m%d.bias".formatted(i), OUTPUTS[i]);
                places.add(new LinearPlace(null, bias, adapter));
                weights.add(torch.randn(OUTPUTS[i], INPUTS));
                outputGradients.add(torch.randn(TOKENS, OUTPUTS[i]));
            }

            index = builder.build();
            FlatVector numbers = FlatVector.zeros(index.size());
            float[] random = values(torch.randn(index.size()));
            numbers.write(0, random, 0, random.length);
            parameters = new BoundParameters(index, numbers, ScalarType.Float, workspace.hardware());
        }

        LinearGroup joined() {
            List<FusedLoraLinears.Source> sources = new ArrayList<>();
            for (int i = 0; i < OUTPUTS.length; i++) {
                sources.add(new FusedLoraLinears.Source(
                        PROJECTIONS[i],
                        new ProjectionShape(OUTPUTS[i], INPUTS),
                        new BaseMatrix.Dense(weights.get(i)),
                        bias(i),
                        places.get(i)));
            }

            return FusedLoraLinears.of(sources, parameters, workspace);
        }

        List<LinearPass> oneByOne() {
            List<LinearPass> modules = new ArrayList<>();
            for (int i = 0; i < OUTPUTS.length; i++) {
                LinearPlace.Adapter adapter = places.get(i).adapter();
                modules.add(new LinearPass(
                        weights.get(i),
                        bias(i),
                        places.get(i),
                        adapter == null ? null : BoundAdapter.of(adapter, weights.get(i), parameters::of, null)));
            }

            return modules;
        }

        private @Nullable Tensor bias(int module) {
            Parameter place = places.get(module).bias();
            return place == null ? null : parameters.of(place);
        }

        List<Tensor> gradientsIn(LinearGroup modules) {
            List<Tensor> buffers = modules.gradientBuffers(TOKENS);
            for (int i = 0; i < OUTPUTS.length; i++) {
                buffers.get(i).copy_(outputGradients.get(i));
            }

            return buffers;
        }
    }
}
