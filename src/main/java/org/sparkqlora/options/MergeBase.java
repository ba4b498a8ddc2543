package org.sparkqlora.options;

import org.sparkqlora.input.OptionName;

/** Which weights an adapter is folded into. */
public enum MergeBase {
    /** As the model stores them. */
    ORIGINAL("original"),
    /** The 4-bit values that the adapter was trained on. */
    QUANTIZED("quantized");

    private final String label;

    MergeBase(String label) {
        this.label = label;
    }

    public static MergeBase parse(String text) {
        return OptionName.parse(
                values(), MergeBase::label, text, "Unsupported base '%s': expected original or quantized");
    }

    public String label() {
        return label;
    }
}
