package org.sparkqlora.model.shared;

import java.util.Arrays;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.sparkqlora.tensor.Hardware;
import org.sparkqlora.tensor.TensorMemory;
import org.sparkqlora.tensor.TensorScope;

/**
 * Rows of a frozen matrix that stays in its file, in host memory, whatever computes: few of them are used.
 *
 * @param weight over mapped memory, as it is stored
 * @param activations type of the rows that are looked up
 * @param used is told of the weight after each look-up
 */
public record StoredRows(Tensor weight, ScalarType activations, Hardware hardware, Runnable used) {
    /** Rows that are looked up at a time: the system maps up to 64 KiB around each. */
    private static final int LOOKED_UP = 64;

    /** The rows that {@code ids} name, on the device. */
    public Tensor of(int[] ids) {
        return TensorScope.keep(() -> {
            Tensor places = TensorMemory.longs(longs(ids));
            Tensor rows = TensorMemory.empty(activations, ids.length, weight.size(1));
            for (int from = 0; from < ids.length; from += LOOKED_UP) {
                int at = from;
                int count = Math.min(LOOKED_UP, ids.length - from);
                TensorScope.run(
                        () -> rows.narrow(0, at, count).copy_(torch.embedding(weight, places.narrow(0, at, count))));
                used.run();
            }

            return hardware.on(rows);
        });
    }

    private static long[] longs(int[] ids) {
        return Arrays.stream(ids).asLongStream().toArray();
    }
}
