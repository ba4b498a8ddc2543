package org.sparkqlora.model.layout;

import java.util.Locale;
import org.sparkqlora.input.OptionName;

/** The fine-tuning method: which weights train, and in which format the frozen ones are held. */
public enum Method {
    /** LoRA factors train; every projection of the base is held in 4 bits. */
    QLORA,
    /** LoRA factors train; the base is held as it is stored. */
    LORA,
    /** Every weight of the base trains. */
    FULL;

    /** The method that a command line calls {@code name}. */
    public static Method parse(String name) {
        return OptionName.parse(
                values(), Method::optionName, name, "Unsupported method '%s': expected qlora, lora or full");
    }

    /** The name a command line uses. */
    public String optionName() {
        return name().toLowerCase(Locale.ROOT);
    }
}
