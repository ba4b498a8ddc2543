package org.sparkqlora.cli;

import org.jspecify.annotations.Nullable;

/** Values that the parser or a check has already demanded. */
final class Required {
    private Required() {}

    static <T> T value(String option, @Nullable T value) {
        if (value == null) {
            throw new IllegalStateException("Cannot go on without %s: it was not checked".formatted(option));
        }

        return value;
    }
}
