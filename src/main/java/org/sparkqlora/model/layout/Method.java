package org.sparkqlora.model.layout;

import org.sparkqlora.input.OptionChoice;

/** The fine-tuning method: which weights train, and in which format the frozen ones are held. */
public enum Method implements OptionChoice {
    /** LoRA factors train; every projection of the base is held in 4 bits. */
    QLORA,
    /** LoRA factors train; the base is held as it is stored. */
    LORA,
    /** Every weight of the base trains. */
    FULL;

    /** The method that a command line calls {@code name}. */
    public static Method parse(String name) {
        return OptionChoice.parse(values(), name, "Unsupported method '%s': expected qlora, lora or full");
    }
}
