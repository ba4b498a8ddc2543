package org.sparkqlora.cli;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ParseResult;

/**
 * A command line as it was understood.
 *
 * @param name of the command, with that of the program
 * @param command nothing when none was named
 * @param usage what could not be understood
 */
record CommandCall(String name, @Nullable Command command, List<String> usage) {
    CommandCall {
        usage = List.copyOf(usage);
    }

    static CommandCall of(ParseResult result) {
        ParseResult leaf = leaf(result);
        Command command = leaf.commandSpec().userObject() instanceof Command found ? found : null;
        return new CommandCall(leaf.commandSpec().qualifiedName(), command, usageProblems(result, command));
    }

    /** All that speaks against running it. */
    List<String> problems() {
        Problems problems = new Problems();
        usage.forEach(problems::add);
        if (command != null) {
            command.check(problems);
        }

        return problems.all();
    }

    /** The problems for a reader. */
    static List<String> report(String name, List<String> problems) {
        if (problems.size() == 1) {
            return List.of("%s: %s".formatted(name, problems.get(0)));
        }

        List<String> lines = new ArrayList<>(List.of("%s: %d problems".formatted(name, problems.size())));
        problems.forEach(problem -> lines.add("  " + problem));
        return lines;
    }

    private static ParseResult leaf(ParseResult result) {
        return result.hasSubcommand() ? leaf(result.subcommand()) : result;
    }

    private static List<String> usageProblems(ParseResult result, @Nullable Command command) {
        List<String> problems = new ArrayList<>();
        for (ParseResult part = result; part != null; part = part.hasSubcommand() ? part.subcommand() : null) {
            part.errors().forEach(error -> problems.add(String.valueOf(error.getMessage())));
        }

        if (problems.isEmpty() && command == null) {
            problems.add("Cannot run: expected a command, found none");
        }

        return problems.stream().distinct().toList();
    }
}
