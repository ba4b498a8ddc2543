package org.sparkqlora.optim;

import java.util.Arrays;
import java.util.Locale;
import org.sparkqlora.input.BadInputException;

/** How the learning rate goes on after warm-up. */
public enum ScheduleKind {
    /** Stays. */
    CONSTANT,
    /** Falls in a straight line to zero at the last step. */
    LINEAR,
    /** Falls to zero as half a cosine. */
    COSINE;

    /** The kind called {@code name} in an option. */
    public static ScheduleKind parse(String name) {
        return Arrays.stream(values())
                .filter(kind -> kind.label().equals(name))
                .findFirst()
                .orElseThrow(() -> new BadInputException(
                        "Cannot use schedule '%s': expected constant, linear or cosine".formatted(name)));
    }

    /** Name in options and files. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}
