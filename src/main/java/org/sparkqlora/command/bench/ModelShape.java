package org.sparkqlora.command.bench;

import org.sparkqlora.input.OptionChoice;

/** Shapes of published models of the Llama family, for when only their speed is asked for. */
public enum ModelShape implements OptionChoice {
    SMOLLM2_135M(49_152, 576, 1536, 30, 9, 3, true),
    SMOLLM2_360M(49_152, 960, 2560, 32, 15, 5, true),
    SMOLLM2_1_7B(49_152, 2048, 8192, 24, 32, 32, true),
    TINYLLAMA_1_1B(32_000, 2048, 5632, 22, 32, 4, false),
    LLAMA2_7B(32_000, 4096, 11_008, 32, 32, 32, false);

    private final Sizes sizes;

    ModelShape(int vocabulary, int hidden, int intermediate, int layers, int heads, int keyValueHeads, boolean tied) {
        this.sizes = new Sizes(vocabulary, hidden, intermediate, layers, heads, keyValueHeads, tied);
    }

    /** The numbers of a shape, as {@code config.json} has them. */
    record Sizes(
            int vocabulary, int hidden, int intermediate, int layers, int heads, int keyValueHeads, boolean tied) {}

    /** The shape called {@code name} in an option, such as {@code smollm2-135m}. */
    public static ModelShape parse(String name) {
        return OptionChoice.parse(values(), name, "Cannot use shape '%s': expected one of %s");
    }

    @Override
    public String optionName() {
        return OptionChoice.super.optionName().replace('_', '-');
    }

    Sizes sizes() {
        return sizes;
    }
}
