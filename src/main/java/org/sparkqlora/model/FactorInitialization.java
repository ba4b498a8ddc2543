package org.sparkqlora.model;

/** How A of a new adapter is drawn (PEFT's {@code init_lora_weights}). B starts at zero, so that training starts from the base. */
public enum FactorInitialization {
    /** Uniform in +-1/sqrt(inputs). */
    DEFAULT,
    /** Normal with deviation 1/rank. */
    GAUSSIAN;

    /** The initialisation that a command line calls {@code name}. */
    public static FactorInitialization parse(String name) {
        return switch (name) {
            case "default" -> DEFAULT;
            case "gaussian" -> GAUSSIAN;
            default ->
                throw new IllegalArgumentException(
                        "Unsupported initialisation '%s': expected default or gaussian".formatted(name));
        };
    }

    /** The name a command line uses. */
    public String optionName() {
        return this == DEFAULT ? "default" : "gaussian";
    }
}
