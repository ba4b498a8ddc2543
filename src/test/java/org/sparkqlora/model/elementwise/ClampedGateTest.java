package org.sparkqlora.model.elementwise;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.SplittableRandom;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.sparkqlora.tensor.Natives;
import org.sparkqlora.tensor.TensorMemory;
import org.sparkqlora.tensor.TensorScope;
import org.sparkqlora.weights.family.GateClamp;

/** Beside the same in double. */
class ClampedGateTest {
    private static final GateClamp CLAMP = new GateClamp(1.702, 1.5);
    private static final int COUNT = 240;

    /** Rounding of a few operations in float32, whose results are below 4. */
    private static final double ROUNDING = 2e-6;

    /** The error of a central difference of that step. */
    private static final double STEP = 1e-5;

    private final float[] gate = numbers(1);
    private final float[] up = numbers(2);
    private final float[] given = numbers(3);

    @BeforeAll
    static void loadLibtorch() {
        Natives.load();
    }

    @Test
    void resultsAndGradientsAreThoseInDouble() {
        TensorScope.run(() -> {
            ClampedGate function = new ClampedGate(CLAMP);
            Tensor gates = TensorMemory.floats(gate, COUNT / 4, 4);
            Tensor ups = TensorMemory.floats(up, COUNT / 4, 4);
            float[] made = read(function.forward(gates, ups, rows -> gates));
            List<Tensor> gradients =
                    function.backward(TensorMemory.floats(given, COUNT / 4, 4), gates, ups, rows -> List.of());
            float[] dGate = read(gradients.get(0));
            float[] dUp = read(gradients.get(1));

            for (int i = 0; i < COUNT; i++) {
                assertThat((double) made[i]).isCloseTo(inDouble(gate[i], up[i]), within(ROUNDING));
                double slope = (inDouble(gate[i] + STEP, up[i]) - inDouble(gate[i] - STEP, up[i])) / (2 * STEP);
                assertThat((double) dGate[i]).isCloseTo(given[i] * slope, within(STEP));
                slope = (inDouble(gate[i], up[i] + STEP) - inDouble(gate[i], up[i] - STEP)) / (2 * STEP);
                assertThat((double) dUp[i]).isCloseTo(given[i] * slope, within(STEP));
            }
        });
    }

    private static double inDouble(double gate, double up) {
        double g = Math.min(gate, CLAMP.limit());
        double u = Math.max(-CLAMP.limit(), Math.min(CLAMP.limit(), up));
        return (u + 1) * g / (1 + Math.exp(-CLAMP.alpha() * g));
    }

    private static float[] read(Tensor tensor) {
        float[] values = new float[COUNT];
        TensorMemory.read(tensor, values, COUNT);
        return values;
    }

    /** Some beyond the limit on either side. */
    private static float[] numbers(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        float[] numbers = new float[COUNT];
        for (int i = 0; i < COUNT; i++) {
            numbers[i] = (float) random.nextDouble(-2.5, 2.5);
        }

        return numbers;
    }
}
