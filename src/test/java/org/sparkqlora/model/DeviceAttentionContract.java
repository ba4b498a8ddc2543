package org.sparkqlora.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.sparkqlora.model.layout.Precision;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.tensor.Hardware;
import org.sparkqlora.tensor.Natives;

/** Packed documents attend by a device's own operation as they do on the processor in float32, and the gradients are the same too. */
abstract class DeviceAttentionContract {
    private static final int HEADS = 6;
    private static final int KEY_HEADS = 2;
    private static final int HEAD_SIZE = 64;
    private static final int[] DOCUMENTS = {1, 37, 130, 280};

    @BeforeAll
    static void load() {
        Natives.load();
    }

    abstract Hardware device();

    @ParameterizedTest
    @EnumSource
    void outputsAndGradientsAreThoseOfTheProcessor(Precision precision) {
        try (Workers workers = new Workers(1);
                PointerScope scope = new PointerScope()) {
            RandomAttention random = RandomAttention.of(512, DOCUMENTS, HEADS, KEY_HEADS, HEAD_SIZE, precision);
            List<Tensor> expected = attention(random, Hardware.processor(workers), Precision.FP32);
            List<Tensor> found = attention(random, device(), precision);

            for (int i = 0; i < expected.size(); i++) {
                assertThat(difference(expected.get(i), found.get(i)))
                        .as("output and gradients of queries, keys, values: %d", i)
                        .isLessThanOrEqualTo(rounding(precision));
            }
        }
    }

    /** As a share of the largest number: sums in another order, and each result rounded to the 8 or 11 bits of its type. */
    private static double rounding(Precision precision) {
        return switch (precision) {
            case FP32 -> 1e-5;
            case BF16 -> 0.02;
            case FP16 -> 0.0025;
        };
    }

    private static List<Tensor> attention(RandomAttention random, Hardware hardware, Precision precision) {
        CausalAttention attention =
                new CausalAttention(1 / Math.sqrt(HEAD_SIZE), OptionalInt.empty(), OptionalDouble.empty(), hardware);
        return random.run(attention, hardware, precision, true);
    }

    private static double difference(Tensor expected, Tensor found) {
        float[] wanted = RandomAttention.floats(expected);
        float[] had = RandomAttention.floats(found);
        double largest = 0;
        double difference = 0;
        for (int i = 0; i < wanted.length; i++) {
            largest = Math.max(largest, Math.abs(wanted[i]));
            difference = Math.max(difference, Math.abs(wanted[i] - had[i]));
        }

        return difference / largest;
    }
}
