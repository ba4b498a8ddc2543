package org.sparkqlora.model;

import java.util.Locale;

/** The number format of activations and matrix products. Norms, softmax, loss and the trained weights are float32 in both. */
public enum Precision {
    BF16,
    FP32;

    /** The precision that a command line calls {@code name}. */
    public static Precision parse(String name) {
        return switch (name) {
            case "bf16" -> BF16;
            case "fp32" -> FP32;
            default ->
                throw new IllegalArgumentException("Unsupported precision '%s': expected bf16 or fp32".formatted(name));
        };
    }

    /** The name a command line uses. */
    public String optionName() {
        return name().toLowerCase(Locale.ROOT);
    }
}
