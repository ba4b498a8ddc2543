package org.sparkqlora.optim;

import org.sparkqlora.input.OptionChoice;

/** The course of the learning rate after warm-up. */
public enum ScheduleKind implements OptionChoice {
    /** Stays. */
    CONSTANT,
    /** Falls in a straight line to zero at the last step. */
    LINEAR,
    /** Falls to zero as half a cosine. */
    COSINE;

    /** The kind called {@code name} in an option. */
    public static ScheduleKind parse(String name) {
        return OptionChoice.parse(values(), name, "Cannot use schedule '%s': expected constant, linear or cosine");
    }
}
