package org.sparkqlora.objective;

import org.sparkqlora.input.OptionChoice;

/** A loss of an answer that is desirable or not. Names are those of TRL's KTOTrainer. */
public enum UnpairedLoss implements OptionChoice {
    /** Measured from the mean score of mismatched pairs (arXiv 2402.01306). */
    KTO,
    /** Measured from 0 (arXiv 2408.06266). */
    APO_ZERO_UNPAIRED;

    /** The loss that the command line calls {@code name}. */
    public static UnpairedLoss parse(String name) {
        return OptionChoice.parse(values(), name, "Unsupported KTO loss '%s': expected one of %s");
    }
}
