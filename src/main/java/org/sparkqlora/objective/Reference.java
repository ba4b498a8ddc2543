package org.sparkqlora.objective;

import org.sparkqlora.input.OptionChoice;

/** The model from which answers are measured. */
public enum Reference implements OptionChoice {
    /** The base as it was: without adapters, and with what PiSSA or OLoRA took out of it. */
    BASE,
    /** The base with the adapter that the run begins with. */
    INITIAL;

    /** The reference called {@code name} on the command line. */
    public static Reference parse(String name) {
        return OptionChoice.parse(values(), name, "Unsupported reference '%s': expected one of %s");
    }
}
