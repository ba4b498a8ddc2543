package org.sparkqlora.options;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An option of a command, as a program sets it.
 *
 * @param name the option's in camel case: {@code learningRate} for {@code --learning-rate}
 * @param option as a command line has it
 * @param description what it decides
 * @param kind of its values
 * @param initial its value unless it is given, as a command line would have it; null where there is none
 */
public record Setting(
        String name,
        String option,
        String description,
        Kind kind,
        @Nullable String initial) {
    /** What values are. */
    public enum Kind {
        /** Of 32 bits. */
        INTEGER,
        /** Of 64 bits. */
        LONG,
        /** A number. */
        DOUBLE,
        /** Given or not. */
        FLAG,
        /** A word or a path. */
        TEXT,
        /** Several texts, such as names, paths or pairs {@code name=value}. */
        LIST
    }

    /** As a command line would give it {@code value}, of its kind; nothing for a flag that is off. */
    public List<String> arguments(Object value) {
        if (kind == Kind.FLAG) {
            return Boolean.TRUE.equals(value) ? List.of(option) : List.of();
        }

        return value instanceof String[] values
                ? List.of(values).stream().map(this::argument).toList()
                : List.of(argument(value));
    }

    private String argument(Object value) {
        return "%s=%s".formatted(option, value);
    }
}
