package org.sparkqlora.model.adapter;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.SplittableRandom;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sparkqlora.model.adapter.PissaOloraInit.Factors;
import org.sparkqlora.model.layout.FactorInitialization;
import org.sparkqlora.model.layout.FactorInitialization.Taken;
import org.sparkqlora.tensor.Natives;
import org.sparkqlora.tensor.TensorMemory;
import org.sparkqlora.tensor.TensorScope;

/** The randomised decomposition beside the exact one. */
class PissaOloraInitTest {
    /** As a share of the largest number: what is mixed in falls by the ratio of neighbouring singular values, squared, an iteration. */
    private static final double ITERATED_TOLERANCE = 1e-3;

    @BeforeAll
    static void loadLibtorch() {
        Natives.load();
    }

    @ParameterizedTest(name = "{0} x {1}")
    @CsvSource({"48, 20", "20, 48", "32, 32"})
    void iterationsComeToTheExactDecomposition(int outputs, int inputs) {
        TensorScope.run(() -> {
            Tensor weight = fading(outputs, inputs);
            Tensor exact = product("pissa", weight);

            assertThat(largest(product("pissa_niter_8", weight).sub(exact)))
                    .isLessThan(ITERATED_TOLERANCE * largest(exact));
            assertThat(largest(product("pissa_niter_0", weight).sub(exact)))
                    .isGreaterThan(20 * ITERATED_TOLERANCE * largest(exact));
        });
    }

    /** A random matrix with singular values that fall by a third from one to the next. */
    private static Tensor fading(int outputs, int inputs) {
        SplittableRandom random = new SplittableRandom(3);
        float[] values = new float[outputs * inputs];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (random.nextGaussian() * Math.pow(0.5, i % Math.min(outputs, inputs)));
        }

        Tensor tall = TensorMemory.floats(values, Math.max(outputs, inputs), Math.min(outputs, inputs));
        return outputs < inputs ? tall.t() : tall;
    }

    private static Tensor product(String how, Tensor weight) {
        Taken taken = (Taken) FactorInitialization.parse(how);
        Factors factors = new PissaOloraInit(taken, 4, 2, new SplittableRandom(1)).from(weight);
        return factors.up().mm(factors.down());
    }

    private static double largest(Tensor tensor) {
        return tensor.abs().max().item_float();
    }
}
