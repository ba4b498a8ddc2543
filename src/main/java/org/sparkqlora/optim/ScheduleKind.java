package org.sparkqlora.optim;

import java.util.Locale;
import org.sparkqlora.input.OptionName;

/** The course of the learning rate after warm-up. */
public enum ScheduleKind {
    /** Stays. */
    CONSTANT,
    /** Falls in a straight line to zero at the last step. */
    LINEAR,
    /** Falls to zero as half a cosine. */
    COSINE;

    /** The kind called {@code name} in an option. */
    public static ScheduleKind parse(String name) {
        return OptionName.parse(
                values(), ScheduleKind::label, name, "Cannot use schedule '%s': expected constant, linear or cosine");
    }

    /** Name in options and files. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}
