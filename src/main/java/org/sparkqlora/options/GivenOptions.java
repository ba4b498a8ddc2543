package org.sparkqlora.options;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/** The options that a command was given, to be given to another one. */
public final class GivenOptions {
    private final List<OptionSpec> given;

    public GivenOptions(CommandSpec command) {
        this.given = command.commandLine().getParseResult().matchedOptions().stream()
                .filter(option -> !option.inherited()) // which are of this process
                .distinct() // the parser lists an option as often as it was given, each time with all values
                .toList();
    }

    public boolean contains(String name) {
        return given.stream().anyMatch(option -> option.longestName().equals(name));
    }

    /** As they would be written on a command line, all but {@code left}. */
    public List<String> without(Set<String> left) {
        List<String> written = new ArrayList<>();
        given.stream()
                .filter(option -> !left.contains(option.longestName()))
                .forEach(option -> written.addAll(written(option)));
        return written;
    }

    private static List<String> written(OptionSpec option) {
        return option.arity().max() == 0
                ? List.of(option.longestName())
                : option.originalStringValues().stream()
                        .map(value -> "%s=%s".formatted(option.longestName(), value))
                        .toList();
    }
}
