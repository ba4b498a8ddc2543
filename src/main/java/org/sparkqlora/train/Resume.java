package org.sparkqlora.train;

import org.sparkqlora.input.BadInputException;

/** Whether a run continues from a checkpoint that it finds. */
public enum Resume {
    /** Continues from it; starts anew when there is none. */
    AUTO,
    /** Starts anew. */
    NEVER,
    /** Continues from it; fails when there is none. */
    REQUIRED;

    /** The choice that a command line calls {@code name}. */
    public static Resume parse(String name) {
        return switch (name) {
            case "auto" -> AUTO;
            case "never" -> NEVER;
            case "required" -> REQUIRED;
            default ->
                throw new BadInputException(
                        "Unsupported choice '%s' for resuming: expected auto, never or required".formatted(name));
        };
    }
}
