package org.sparkqlora.weights.family;

import java.util.Locale;

/** The weights of a layer of the gated delta rule that are not those of linear modules. */
public enum DeltaTensor {
    CONVOLUTION("conv1d.weight"),
    /** Added to what decides how fast the state decays. */
    TIME_BIAS("dt_bias"),
    /** The logarithm of the fastest decay. */
    DECAY("A_log"),
    /** Of the norm over each head of what is read from the state. */
    NORM("norm.weight");

    private final String name;

    DeltaTensor(String name) {
        this.name = name;
    }

    /** The weight's name in layer {@code layer}, as Hugging Face names it. */
    public String path(int layer) {
        return String.format(Locale.ROOT, "model.layers.%d.linear_attn.%s", layer, name);
    }

    public long[] shape(DeltaNetShape shape) {
        return switch (this) {
            case CONVOLUTION -> new long[] {shape.channels(), 1, shape.kernel()};
            case TIME_BIAS, DECAY -> new long[] {shape.valueHeads()};
            case NORM -> new long[] {shape.valueSize()};
        };
    }
}
