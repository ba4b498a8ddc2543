package org.sparkqlora.model;

import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.sparkqlora.model.CausalAttention.Attended;
import org.sparkqlora.model.CausalAttention.Gradients;
import org.sparkqlora.model.layout.Precision;
import org.sparkqlora.tensor.Hardware;
import org.sparkqlora.tensor.TensorMemory;
import org.sparkqlora.tokenizer.packing.TokenRow;

/**
 * Packed documents with standard normal numbers, (T, heads, d) each: queries, keys, values and the gradient of the output. Zeros stand
 * behind the documents.
 */
record RandomAttention(DocumentBatch batch, List<Tensor> inputs) {
    /** Numbers that {@code precision} holds. The caller has a scope of tensors. */
    static RandomAttention of(int width, int[] documents, int heads, int keyHeads, int size, Precision precision) {
        DocumentBatch batch = new DocumentBatch(List.of(row(width, documents)));
        return new RandomAttention(
                batch,
                List.of(
                        numbers(1, batch, heads, size, precision),
                        numbers(2, batch, keyHeads, size, precision),
                        numbers(3, batch, keyHeads, size, precision),
                        numbers(4, batch, heads, size, precision)));
    }

    /**
     * The output and the gradients of queries, keys and values, in float32 on the host.
     *
     * @param kept whether probabilities are kept for the gradient
     */
    List<Tensor> run(CausalAttention attention, Hardware hardware, Precision precision, boolean kept) {
        List<Tensor> here = inputs.stream()
                .map(input -> hardware.on(input.to(precision.type())))
                .toList();
        Attended attended = attention.forward(
                here.get(0), here.get(1), here.get(2), batch, kept, tokens -> buffer(here.get(0), tokens));
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
        return Stream.of(attended.output(), gradients.query(), gradients.key(), gradients.value())
                .map(tensor -> TensorMemory.onHost(tensor.to(ScalarType.Float)).contiguous())
                .toList();
    }

    static float[] floats(Tensor tensor) {
        float[] floats = new float[(int) tensor.numel()];
        TensorMemory.read(tensor, floats, floats.length);
        return floats;
    }

    private static Tensor buffer(Tensor heads, long tokens) {
        return torch.empty(new long[] {tokens, heads.size(1) * heads.size(2)}, heads.options(), null);
    }

    private static Tensor numbers(long seed, DocumentBatch batch, int heads, int size, Precision precision) {
        SplittableRandom random = new SplittableRandom(seed);
        float[] values = new float[batch.ids().length * heads * size];
        for (int i = 0; i < batch.tokens() * heads * size; i++) {
            values[i] = precision.rounded((float) random.nextGaussian());
        }

        return TensorMemory.floats(values, batch.ids().length, heads, size);
    }

    private static TokenRow row(int width, int[] documents) {
        boolean[] starts = new boolean[width];
        int length = 0;
        for (int document : documents) {
            starts[length] = true;
            length += document;
        }

        return new TokenRow(new int[width], new boolean[width], starts, length);
    }
}
