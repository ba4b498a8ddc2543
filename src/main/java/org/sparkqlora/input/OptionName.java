package org.sparkqlora.input;

import java.util.Arrays;
import java.util.function.Function;
import java.util.stream.Collectors;

/** Choices by their names in options and files. */
public final class OptionName {
    private OptionName() {}

    /**
     * The choice of that name.
     *
     * @param refusal the message for any other name, of which the arguments are the name and a list of all names
     */
    public static <T> T parse(T[] choices, Function<T, String> nameOf, String name, String refusal) {
        return Arrays.stream(choices)
                .filter(choice -> nameOf.apply(choice).equals(name))
                .findFirst()
                .orElseThrow(() -> new BadInputException(refusal.formatted(name, list(choices, nameOf))));
    }

    /** The names of all choices, with commas. */
    public static <T> String list(T[] choices, Function<T, String> nameOf) {
        return Arrays.stream(choices).map(nameOf).collect(Collectors.joining(", "));
    }
}
