package org.sparkqlora.options;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/**
 * Options of a command that a program gives by name, as Python writes names: {@code max_steps} for {@code --max-steps}.
 *
 * @param arguments as a command line would give them
 * @param problems unknown names, and values of another kind than their option's
 */
public record NamedOptions(List<String> arguments, List<String> problems) {
    public NamedOptions {
        arguments = List.copyOf(arguments);
        problems = List.copyOf(problems);
    }

    /** @param values text, number, true, list or map by name; with null or false an option is not given */
    public static NamedOptions of(Map<String, ?> values, CommandSpec command) {
        Map<String, OptionSpec> known = OptionFile.known(command);
        List<String> arguments = new ArrayList<>();
        List<String> problems = new ArrayList<>();
        new TreeMap<String, Object>(values).forEach((name, value) -> {
            String dashed = name.replace('_', '-');
            OptionSpec option = known.get(dashed);
            if (option == null) {
                String nearest =
                        OptionFile.nearest(dashed, known.keySet().stream()).replace('-', '_');
                problems.add("Cannot set %s: expected an option of %s, found no such%s"
                        .formatted(name, command.name(), nearest));
            } else if (value != null && !Boolean.FALSE.equals(value)) {
                OptionValue.of(value)
                        .arguments(option, (expected, found) -> {
                            problems.add("Cannot set %s: expected %s, found %s".formatted(name, expected, found));
                            return Optional.empty();
                        })
                        .ifPresent(arguments::addAll);
            }
        });
        return new NamedOptions(arguments, problems);
    }
}
