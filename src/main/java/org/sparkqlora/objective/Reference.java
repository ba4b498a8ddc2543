package org.sparkqlora.objective;

import java.util.Locale;
import org.sparkqlora.input.OptionName;

/** The model from which answers are measured. */
public enum Reference {
    /** The base as it was: without adapters, and with what PiSSA or OLoRA took out of it. */
    BASE,
    /** The base with the adapter that the run begins with. */
    INITIAL;

    /** The reference called {@code optionValue} on the command line. */
    public static Reference parse(String optionValue) {
        return OptionName.parse(
                values(), Reference::optionValue, optionValue, "Unsupported reference '%s': expected one of %s");
    }

    /** The name on the command line. */
    public String optionValue() {
        return name().toLowerCase(Locale.ROOT);
    }
}
