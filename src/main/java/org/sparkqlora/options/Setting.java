package org.sparkqlora.options;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.OptionSpec;

/**
 * An option of a command, as a program sets it.
 *
 * @param name the option's in camel case: {@code learningRate} for {@code --learning-rate}
 * @param option as a command line has it
 * @param description for people
 * @param kind of its values
 * @param initial its default, as a command line would have it; null if it has none
 * @param group that help lists it in
 */
public record Setting(
        String name,
        String option,
        String description,
        Kind kind,
        @Nullable String initial,
        OptionGroup group) {
    private static final String DEFAULT_NOTE =
            "\\s*Default: \\$\\{DEFAULT-VALUE\\}( \\(off\\)|: by the fields of each record)?\\.?";

    private static final Map<Class<?>, Kind> NUMBERS = Map.of(
            int.class, Kind.INTEGER,
            Integer.class, Kind.INTEGER,
            long.class, Kind.LONG,
            Long.class, Kind.LONG,
            double.class, Kind.DOUBLE,
            Double.class, Kind.DOUBLE);

    /** The type of a value. */
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

    static Setting of(OptionSpec option) {
        String name = option.longestName();
        return new Setting(
                camelCase(name),
                name,
                description(option),
                kind(option.type()),
                option.defaultValue(),
                OptionGroup.of(option));
    }

    /** The option with {@code value}, which is of its kind; none for a flag that is off. */
    List<String> written(Object value) {
        if (kind == Kind.FLAG) {
            return Boolean.TRUE.equals(value) ? List.of(option) : List.of();
        }

        Object[] values = value instanceof String[] texts ? texts : new Object[] {value};
        return Arrays.stream(values)
                .map(each -> "%s=%s".formatted(option, each))
                .toList();
    }

    private static Kind kind(Class<?> type) {
        if (Collection.class.isAssignableFrom(type) || Map.class.isAssignableFrom(type)) {
            return Kind.LIST;
        }

        return type == boolean.class ? Kind.FLAG : NUMBERS.getOrDefault(type, Kind.TEXT);
    }

    private static String camelCase(String option) {
        List<String> words = new ArrayList<>(Arrays.asList(option.substring(2).split("-", -1)));
        String first = words.remove(0);
        return first
                + words.stream()
                        .map(word -> word.substring(0, 1).toUpperCase(Locale.ROOT) + word.substring(1))
                        .collect(Collectors.joining());
    }

    /** Whoever explains a param tells its default anyway. */
    private static String description(OptionSpec option) {
        String text = String.join(" ", option.description()).replace("%%", "%").replace("%n", " ");
        String told = text.replaceAll(DEFAULT_NOTE, "").strip();
        return told.isEmpty() ? option.longestName().substring(2).replace('-', ' ') : told;
    }
}
