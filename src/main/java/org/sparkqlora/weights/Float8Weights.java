package org.sparkqlora.weights;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.sparkqlora.weights.safetensors.InvalidWeightsException;
import org.sparkqlora.weights.safetensors.StoredLayout;
import org.sparkqlora.weights.safetensors.StoredTensor;
import org.sparkqlora.weights.safetensors.StoredTensors;
import org.sparkqlora.weights.safetensors.StoredType;
import org.sparkqlora.weights.safetensors.TensorSpec;

/**
 * The matrices of a checkpoint in FP8 ({@code quant_method} {@code fp8}): {@code NAME.weight} in E4M3, and {@code NAME.weight_scale_inv}, a scale of
 * all or one for each block. Scales of activations are of no use here: what multiplies is widened.
 */
record Float8Weights(StoredTensors stored) {
    private static final String SCALES = "_scale_inv";
    private static final String ACTIVATIONS = ".activation_scale";

    /** {@code stored} with each such matrix as one tensor of bfloat16. */
    static StoredTensors joined(StoredTensors stored) {
        return stored.names().stream().anyMatch(name -> stored.tensor(name).type() == StoredType.F8_E4M3)
                ? stored.divided(new Float8Weights(stored)::join)
                : stored;
    }

    /** Nothing of a tensor that stays as it is. */
    private Optional<List<StoredTensor>> join(StoredTensor tensor) {
        if (tensor.name().endsWith(SCALES) || tensor.name().endsWith(ACTIVATIONS)) {
            return Optional.of(List.of());
        }

        return tensor.type() == StoredType.F8_E4M3 ? Optional.of(List.of(scaled(tensor))) : Optional.empty();
    }

    private StoredTensor scaled(StoredTensor codes) {
        String name = codes.name() + SCALES;
        if (!stored.has(name)) {
            throw new InvalidWeightsException("Cannot read %s of %s: expected its scales, %s, found none"
                    .formatted(codes.name(), codes.file(), name));
        }

        StoredTensor scales = stored.tensor(name);
        long[] shape = codes.shape();
        long[] grid = scales.elements() == 1 ? new long[] {1, 1} : scales.shape();
        if (shape.length != 2
                || grid.length != 2
                || !scales.type().isFloat()
                || !scales.isPlain()
                || !divides(grid[0], shape[0])
                || !divides(grid[1], shape[1])) {
            throw new InvalidWeightsException(
                    "Cannot read %s of %s as FP8: expected a matrix and F32, F16 or BF16 scales that divide it evenly, found shape %s, and scales of shape %s in %s"
                            .formatted(
                                    codes.name(),
                                    codes.file(),
                                    Arrays.toString(shape),
                                    Arrays.toString(scales.shape()),
                                    scales.type()));
        }

        return codes.part(
                TensorSpec.of(codes.name(), StoredType.BF16, shape),
                0,
                new StoredLayout.Float8(
                        String.valueOf(scales.file().getFileName()),
                        scales.position(),
                        scales.type(),
                        Math.toIntExact(shape[0] / grid[0]),
                        Math.toIntExact(shape[1] / grid[1])));
    }

    private static boolean divides(long part, long whole) {
        return part > 0 && whole % part == 0;
    }
}
