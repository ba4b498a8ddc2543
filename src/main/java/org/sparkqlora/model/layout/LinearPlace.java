package org.sparkqlora.model.layout;

import org.jspecify.annotations.Nullable;

/**
 * The trained parameters of one linear module.
 *
 * @param weight its weight, when all weights train
 * @param bias its bias, when all weights train and it has one
 * @param adapter its adapter, when it carries one
 */
public record LinearPlace(
        @Nullable Parameter weight,
        @Nullable Parameter bias,
        @Nullable Adapter adapter) {
    public static final LinearPlace FROZEN = new LinearPlace(null, null, null);

    /**
     * The ranges of one linear module's adapter in the flat vector.
     *
     * @param down LoRA's A, (rank, inputs)
     * @param up LoRA's B, (outputs, rank)
     * @param magnitude DoRA's magnitude, (outputs); null without weight decomposition
     * @param scale factor on the low-rank term
     */
    public record Adapter(
            Parameter down, Parameter up, @Nullable Parameter magnitude, double scale) {}
}
