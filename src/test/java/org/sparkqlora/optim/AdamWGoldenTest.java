package org.sparkqlora.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.assertj.core.data.Offset;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.quant.GoldenFile;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.tensor.FlatVector;

/** Thirty recorded steps of torch's AdamW in 32 bits and of bitsandbytes' rule in 8. */
@NullMarked
class AdamWGoldenTest {
    private static final int STEPS = 30;
    private static final int ONE_PAGE = 1 << 14;

    /** Torch divides by the corrections in another order; measured 1.2e-7 on parameters of size 1. */
    private static final float PARAMETER_TOLERANCE = 1e-6f;

    private static final float STATE_RELATIVE = 1e-5f;
    private static final float STATE_ABSOLUTE = 1e-12f;

    /** Gradients of both signs cancel in the mean, where the roundings of the largest one stay: a few of 6e-8. */
    private static final float CANCELLATION = 3e-7f;

    /** In 8 bits one step from a recorded state may turn a code that lies on a tie; measured at most one. */
    private static final int CODES_PER_STEP = 4;

    private static final float ABSMAX_RELATIVE = 1e-6f;

    /** Elements that may be off after a whole run, once a turned code has moved them. */
    private static final int OUTLIERS = 10;

    private final GoldenFile golden = GoldenFile.open("optim/adamw.safetensors");
    private final Workers workers = new Workers(2);

    @AfterEach
    void closeWorkers() {
        workers.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"p10000", "p4096", "p1000"})
    void parametersAndStateFollowTorchIn32Bits(String name) {
        FlatVector parameters = FlatVector.of(golden.floats(name + ".param.0"));
        int length = (int) parameters.length();
        Run run = run(OptimizerKind.ADAMW, length);
        for (int step = 1; step <= STEPS; step++) {
            run.step(parameters, gradient(name, length, step), step);
            if (golden.has(name + ".adamw32.param." + step)) {
                assert32Bit(name, step, parameters, run);
            }
        }
    }

    private void assert32Bit(String name, int step, FlatVector parameters, Run run) {
        float[] expected = golden.floats(name + ".adamw32.param." + step);
        float[] means = golden.floats(name + ".adamw32.m." + step);
        float[] squares = golden.floats(name + ".adamw32.v." + step);
        StatePage layout = RecordedState.float32Page(expected.length);
        float[] foundMeans = RecordedState.values(layout, run.page(), 0);
        float[] largest = largestGradients(name, expected.length, step);
        float[] foundSquares = RecordedState.values(layout, run.page(), 1);
        for (int i = 0; i < expected.length; i++) {
            assertThat(parameters.get(i)).as("parameter %d", i).isCloseTo(expected[i], within(PARAMETER_TOLERANCE));
            assertThat(foundMeans[i]).as("mean %d", i).isCloseTo(means[i], meanTolerance(means[i], largest[i]));
            assertThat(foundSquares[i]).as("square %d", i).isCloseTo(squares[i], stateTolerance(squares[i]));
        }
    }

    private float[] largestGradients(String name, int length, int lastStep) {
        float[] all = golden.floats(name + ".grads");
        float[] largest = new float[length];
        for (int i = 0; i < lastStep * length; i++) {
            largest[i % length] = Math.max(largest[i % length], Math.abs(all[i]));
        }

        return largest;
    }

    private static Offset<Float> meanTolerance(float expected, float largestGradient) {
        return within(STATE_RELATIVE * Math.abs(expected) + STATE_ABSOLUTE + CANCELLATION * largestGradient);
    }

    private static Offset<Float> stateTolerance(float expected) {
        return within(STATE_RELATIVE * Math.abs(expected) + STATE_ABSOLUTE);
    }

    @ParameterizedTest(name = "{0}, step {1}")
    @CsvSource({"p10000, 10", "p10000, 30", "p4096, 10", "p4096, 30"})
    void oneStepFromARecordedStateInEightBits(String name, int step) {
        FlatVector parameters = FlatVector.of(golden.floats(name + ".adamw8.param." + (step - 1)));
        int length = (int) parameters.length();
        Run run = run(OptimizerKind.ADAMW_8BIT, length);
        run.store().write(0, RecordedState.eightBitPage(golden, name, step - 1));

        run.step(parameters, gradient(name, length, step), step);

        float[] expected = golden.floats(name + ".adamw8.param." + step);
        for (int i = 0; i < length; i++) {
            assertThat(parameters.get(i)).as("parameter %d", i).isCloseTo(expected[i], within(PARAMETER_TOLERANCE));
        }

        byte[] recorded = RecordedState.eightBitPage(golden, name, step);
        for (int state = 0; state < 2; state++) {
            assertCodes(RecordedState.codes(run.page(), length, state), RecordedState.codes(recorded, length, state));
        }
    }

    private static void assertCodes(RecordedState.Codes found, RecordedState.Codes expected) {
        assertThat(found.differing(expected)).isLessThanOrEqualTo(CODES_PER_STEP);
        for (int block = 0; block < expected.absmax().length; block++) {
            float absmax = expected.absmax()[block];
            assertThat(found.absmax()[block]).isCloseTo(absmax, within(ABSMAX_RELATIVE * absmax));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"p10000", "p4096"})
    void aWholeRunInEightBitsStaysWithTheReference(String name) {
        Map<Integer, Float> toleranceAfter = new HashMap<>(Map.of(1, 1e-5f, 9, 1e-5f, 10, 1e-5f, 29, 1e-4f, 30, 1e-4f));
        FlatVector parameters = FlatVector.of(golden.floats(name + ".param.0"));
        int length = (int) parameters.length();
        Run run = run(OptimizerKind.ADAMW_8BIT, length);
        for (int step = 1; step <= STEPS; step++) {
            run.step(parameters, gradient(name, length, step), step);
            Float tolerance = toleranceAfter.remove(step);
            if (tolerance != null) {
                float[] expected = golden.floats(name + ".adamw8.param." + step);
                assertThat(outside(parameters, expected, tolerance)).isLessThanOrEqualTo(OUTLIERS);
            }
        }

        assertThat(toleranceAfter).isEmpty();
    }

    private static int outside(FlatVector found, float[] expected, float tolerance) {
        int outside = 0;
        for (int i = 0; i < expected.length; i++) {
            outside += Math.abs(found.get(i) - expected[i]) > tolerance ? 1 : 0;
        }

        return outside;
    }

    @Test
    void smallTensorsKeepTheir32BitStateUnderTheEightBitOptimiser() {
        FlatVector inEight = FlatVector.of(golden.floats("p1000.param.0"));
        FlatVector in32 = inEight.copy();
        Run eight = run(OptimizerKind.ADAMW_8BIT, 1000);
        Run full = run(OptimizerKind.ADAMW, 1000);
        for (int step = 1; step <= STEPS; step++) {
            eight.step(inEight, gradient("p1000", 1000, step), step);
            full.step(in32, gradient("p1000", 1000, step), step);
        }

        assertThat(OptimTesting.values(inEight)).isEqualTo(OptimTesting.values(in32));
    }

    private FlatVector gradient(String name, int length, int step) {
        float[] all = golden.floats(name + ".grads");
        return FlatVector.of(Arrays.copyOfRange(all, (step - 1) * length, step * length));
    }

    private Run run(OptimizerKind kind, int length) {
        PageStore[] store = new PageStore[1];
        Optimizer optimizer = Optimizers.create(
                OptimTesting.spec(kind),
                OptimizedTensor.alike(length),
                workers,
                PageBudget.unbounded(ONE_PAGE, 1),
                byteSizes -> {
                    store[0] = new HeapPageStore(byteSizes);
                    return store[0];
                });
        return new Run(optimizer, store[0]);
    }

    /** An optimiser of one tensor and the one page that its state fills. */
    private record Run(Optimizer optimizer, PageStore store) {
        void step(FlatVector parameters, FlatVector gradient, int step) {
            optimizer.step(parameters, gradient, 1f, 1e-3, step);
        }

        byte[] page() {
            return RecordedState.read(store, 0);
        }
    }
}
