package org.sparkqlora.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.input.FileNames;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;

/**
 * A command line as it was understood.
 *
 * @param name of the command, with that of the program
 * @param command nothing when none was named
 * @param arguments as the process was given them
 * @param usage what the parser refused
 * @param refusal how the command ends for it: a value that no command takes is bad input, all else is bad usage
 */
record CommandCall(
        String name, @Nullable Command command, List<String> arguments, List<String> usage, ExitCode refusal) {
    CommandCall {
        arguments = List.copyOf(arguments);
        usage = List.copyOf(usage);
    }

    static CommandCall of(ParseResult result) {
        ParseResult leaf = leaf(result);
        Command command = leaf.commandSpec().userObject() instanceof Command found ? found : null;
        ExitCode refusal = command != null && errors(result).allMatch(CommandCall::isOfAValue)
                ? ExitCode.BAD_INPUT
                : ExitCode.USAGE;
        return new CommandCall(
                leaf.commandSpec().qualifiedName(),
                command,
                result.originalArgs(),
                usageProblems(result, command),
                refusal);
    }

    /** All that speaks against running it. */
    List<String> problems() {
        Problems problems = new Problems();
        usage.forEach(problems::add);
        FileNames.ofProcess().problemOf(arguments).ifPresent(problems::add);
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

        List<String> lines =
                new ArrayList<>(List.of(String.format(Locale.ROOT, "%s: %d problems", name, problems.size())));
        problems.forEach(problem -> lines.add("  " + problem));
        return lines;
    }

    /** The part of the command that was named last. */
    static ParseResult leaf(ParseResult result) {
        return result.hasSubcommand() ? leaf(result.subcommand()) : result;
    }

    private static Stream<Exception> errors(ParseResult result) {
        return Stream.iterate(result, Objects::nonNull, part -> part.hasSubcommand() ? part.subcommand() : null)
                .flatMap(part -> part.errors().stream());
    }

    /** The parser has classes of their own for what is missing, unknown or given twice. */
    private static boolean isOfAValue(Exception error) {
        return error.getClass() == ParameterException.class;
    }

    private static List<String> usageProblems(ParseResult result, @Nullable Command command) {
        List<String> problems = new ArrayList<>();
        errors(result).forEach(error -> problems.add(String.valueOf(error.getMessage())));
        if (problems.isEmpty() && command == null) {
            problems.add("Cannot run: expected a command, found none");
        }

        return problems.stream().distinct().toList();
    }
}
