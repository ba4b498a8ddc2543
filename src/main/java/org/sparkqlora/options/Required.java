package org.sparkqlora.options;

import org.jspecify.annotations.Nullable;

/** Values that the parser or a check has already demanded. */
public final class Required {
    private Required() {}

    public static <T> T value(String option, @Nullable T value) {
        if (value == null) {
            throw new IllegalStateException("Cannot go on without %s: it was not checked".formatted(option));
        }

        return value;
    }
}
