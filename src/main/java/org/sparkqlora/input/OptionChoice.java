package org.sparkqlora.input;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/** One of several that options and files name; an enum. */
public interface OptionChoice {
    /** The name in Java. */
    String name();

    /** The name in options and files. */
    default String optionName() {
        return name().toLowerCase(Locale.ROOT);
    }

    /**
     * The choice of that name.
     *
     * @param refusal the message for any other name, of which the arguments are the name and a list of all names
     */
    static <T extends OptionChoice> T parse(T[] choices, String name, String refusal) {
        return Arrays.stream(choices)
                .filter(choice -> choice.optionName().equals(name))
                .findFirst()
                .orElseThrow(() -> new BadInputException(refusal.formatted(name, optionNames(choices))));
    }

    /** The names of all choices, with commas. */
    static String optionNames(OptionChoice... choices) {
        return Arrays.stream(choices).map(OptionChoice::optionName).collect(Collectors.joining(", "));
    }
}
