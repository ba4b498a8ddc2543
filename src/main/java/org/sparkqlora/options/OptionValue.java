package org.sparkqlora.options;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.sparkqlora.model.layout.TargetModules;
import picocli.CommandLine.Model.OptionSpec;

/** The value of an option that is given by name, in a file or by a program: texts, whose meaning is the option's. */
sealed interface OptionValue {
    /** Its scalars; where they have names, {@code name=value}. */
    List<String> texts();

    /** The value that a program gives: a list, names with values, or a scalar. */
    static OptionValue of(Object value) {
        if (value instanceof Map<?, ?> named) {
            return new Fields(named.entrySet().stream()
                    .map(each -> new Field(String.valueOf(each.getKey()), 0, of(each.getValue())))
                    .toList());
        }

        if (value instanceof Collection<?> several) {
            return new Items(several.stream().map(String::valueOf).toList());
        }

        return Boolean.TRUE.equals(value) ? Given.GIVEN : new Text(String.valueOf(value), false);
    }

    /** As a command line would give {@code option}; nothing where the value is refused. */
    default Optional<List<String>> arguments(OptionSpec option, Refusal refusal) {
        String name = option.longestName();
        String shortName = name.substring(2);
        if (option.arity().max() == 0) {
            return flag(name, shortName, refusal);
        }

        if (this == Given.GIVEN || this instanceof Text text && text.isNull()) {
            return option.arity().min() == 0
                    ? Optional.of(List.of(name))
                    : refusal.of("a value for " + shortName, this == Given.GIVEN ? "true" : "none");
        }

        if (option.isMultiValue()) {
            return Optional.of(texts().stream().map(text -> name + "=" + text).toList());
        }

        return this instanceof Text || option.type() == TargetModules.class
                ? Optional.of(List.of(name + "=" + String.join(",", texts())))
                : refusal.of("one value for " + shortName, "several");
    }

    private Optional<List<String>> flag(String name, String shortName, Refusal refusal) {
        String word = String.join(",", texts());
        return switch (word) {
            case "true" -> Optional.of(List.of(name));
            case "false" -> Optional.of(List.of());
            default -> refusal.of("true or false for " + shortName, word.isEmpty() ? "nothing" : word);
        };
    }

    /** Notes a value that the option cannot have; gives no arguments. */
    interface Refusal {
        Optional<List<String>> of(String expected, String found);
    }

    /** Of an option that a program switches on. */
    enum Given implements OptionValue {
        GIVEN;

        @Override
        public List<String> texts() {
            return List.of("true");
        }
    }

    /**
     * A scalar.
     *
     * @param plain whether it is without quotes
     */
    record Text(String text, boolean plain) implements OptionValue {
        private static final Set<String> NULL = Set.of("", "~", "null");

        @Override
        public List<String> texts() {
            return List.of(text);
        }

        /** Whether nothing is written, or YAML's word for it. */
        boolean isNull() {
            return plain && NULL.contains(text);
        }
    }

    /** A list of scalars. */
    record Items(List<String> texts) implements OptionValue {
        public Items {
            texts = List.copyOf(texts);
        }
    }

    /** Names with values. */
    record Fields(List<Field> fields) implements OptionValue {
        public Fields {
            fields = List.copyOf(fields);
        }

        @Override
        public List<String> texts() {
            return fields.stream().map(Field::text).toList();
        }
    }

    /**
     * A name with its value.
     *
     * @param name empty for a value without one
     * @param line of a file; 0 in none
     */
    record Field(String name, int line, OptionValue value) {
        private String text() {
            String text = String.join(",", value.texts());
            return name.isEmpty() ? text : name + "=" + text;
        }
    }
}
