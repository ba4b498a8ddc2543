package org.sparkqlora.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.SplittableRandom;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.sparkqlora.model.CausalAttention.Attended;
import org.sparkqlora.model.CausalAttention.Gradients;
import org.sparkqlora.model.layout.Precision;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.tensor.Hardware;
import org.sparkqlora.tensor.TensorMemory;
import org.sparkqlora.tokenizer.packing.TokenRow;

/** Packed documents attend by a device's own operation as they do on the processor in float32, and the gradients are the same too. */
abstract class DeviceAttentionContract {
    private static final int HEADS = 6;
    private static final int KEY_HEADS = 2;
    private static final int HEAD_SIZE = 64;
    private static final int[] DOCUMENTS = {1, 37, 130, 280};

    abstract Hardware device();

    @ParameterizedTest
    @EnumSource
    void outputsAndGradientsAreThoseOfTheProcessor(Precision precision) {
        DocumentBatch batch = new DocumentBatch(List.of(row()));
        try (Workers workers = new Workers(1);
                PointerScope scope = new PointerScope()) {
            List<Tensor> inputs = List.of(
                    random(1, batch, HEADS, precision),
                    random(2, batch, KEY_HEADS, precision),
                    random(3, batch, KEY_HEADS, precision),
                    random(4, batch, HEADS, precision));
            List<Tensor> expected = attention(Hardware.processor(workers), inputs, Precision.FP32, batch);
            List<Tensor> found = attention(device(), inputs, precision, batch);

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

    /** The output and the gradients of queries, keys and values, in float32 on the host. */
    private static List<Tensor> attention(
            Hardware hardware, List<Tensor> inputs, Precision precision, DocumentBatch batch) {
        CausalAttention attention =
                new CausalAttention(1 / Math.sqrt(HEAD_SIZE), OptionalInt.empty(), OptionalDouble.empty(), hardware);
        List<Tensor> here = inputs.stream()
                .map(input -> hardware.on(input.to(precision.type())))
                .toList();
        Attended attended = attention.forward(
                here.get(0), here.get(1), here.get(2), batch, true, tokens -> buffer(here.get(0), tokens));
        Gradients gradients = attention.backward(
                here.get(3).view(batch.ids().length, -1),
                attended,
                here.get(0),
                here.get(1),
                here.get(2),
                batch,
                tokens -> here.subList(0, 3).stream()
                        .map(input -> buffer(input, tokens))
                        .toList());
        return List.of(attended.output(), gradients.query(), gradients.key(), gradients.value()).stream()
                .map(tensor -> TensorMemory.onHost(tensor.to(ScalarType.Float)).contiguous())
                .toList();
    }

    private static Tensor buffer(Tensor heads, long tokens) {
        return torch.empty(new long[] {tokens, heads.size(1) * heads.size(2)}, heads.options(), null);
    }

    /** Standard normal numbers that {@code precision} holds, (T, heads, d); zeros behind the documents. */
    private static Tensor random(long seed, DocumentBatch batch, int heads, Precision precision) {
        SplittableRandom random = new SplittableRandom(seed);
        float[] values = new float[batch.ids().length * heads * HEAD_SIZE];
        for (int i = 0; i < batch.tokens() * heads * HEAD_SIZE; i++) {
            values[i] = precision.rounded((float) random.nextGaussian());
        }

        return TensorMemory.floats(values, batch.ids().length, heads, HEAD_SIZE);
    }

    private static double difference(Tensor expected, Tensor found) {
        float[] wanted = new float[(int) expected.numel()];
        float[] had = new float[wanted.length];
        TensorMemory.read(expected, wanted, wanted.length);
        TensorMemory.read(found, had, had.length);
        double largest = 0;
        double difference = 0;
        for (int i = 0; i < wanted.length; i++) {
            largest = Math.max(largest, Math.abs(wanted[i]));
            difference = Math.max(difference, Math.abs(wanted[i] - had[i]));
        }

        return difference / largest;
    }

    private static TokenRow row() {
        int width = 512;
        boolean[] starts = new boolean[width];
        int length = 0;
        for (int document : DOCUMENTS) {
            starts[length] = true;
            length += document;
        }

        return new TokenRow(new int[width], new boolean[width], starts, length);
    }
}
