package org.sparkqlora.options;

import java.util.Arrays;
import org.sparkqlora.input.BadInputException;

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
        return Arrays.stream(values())
                .filter(base -> base.label.equals(text))
                .findFirst()
                .orElseThrow(() ->
                        new BadInputException("Unsupported base '%s': expected original or quantized".formatted(text)));
    }

    public String label() {
        return label;
    }
}
