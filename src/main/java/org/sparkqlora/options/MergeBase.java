package org.sparkqlora.options;

import org.sparkqlora.input.OptionChoice;

/** Which weights an adapter is folded into. */
public enum MergeBase implements OptionChoice {
    /** As the model stores them. */
    ORIGINAL,
    /** The 4-bit values that the adapter was trained on. */
    QUANTIZED;

    public static MergeBase parse(String text) {
        return OptionChoice.parse(values(), text, "Unsupported base '%s': expected original or quantized");
    }
}
