package org.sparkqlora.objective;

import java.util.Locale;
import org.sparkqlora.input.OptionName;

/** A loss of an answer that is desirable or not. Names are those of TRL's KTOTrainer. */
public enum UnpairedLoss {
    /** Measured from the mean score of mismatched pairs (arXiv 2402.01306). */
    KTO,
    /** Measured from 0 (arXiv 2408.06266). */
    APO_ZERO_UNPAIRED;

    /** The loss that the command line calls {@code optionValue}. */
    public static UnpairedLoss parse(String optionValue) {
        return OptionName.parse(
                values(), UnpairedLoss::optionValue, optionValue, "Unsupported KTO loss '%s': expected one of %s");
    }

    public String optionValue() {
        return name().toLowerCase(Locale.ROOT);
    }
}
