package org.sparkqlora.command;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.input.FileNames;
import org.sparkqlora.options.OptionFile;
import org.sparkqlora.options.Problems;
import org.sparkqlora.spark.cluster.Location;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;

/**
 * A command with the options that it was given, as they were understood.
 *
 * @param name of the command; on a command line with that of the program
 * @param command nothing when none was named
 * @param arguments as a command line gives them
 * @param file of {@code --config}
 * @param usage what the parser refused
 * @param refusal how the command ends for it: a value that no command takes is bad input, all else is bad usage
 */
public record CommandCall(
        String name,
        @Nullable Command command,
        List<String> arguments,
        OptionFile file,
        List<String> usage,
        ExitCode refusal) {
    public CommandCall {
        arguments = List.copyOf(arguments);
        usage = List.copyOf(usage);
    }

    /**
     * Of a line that was parsed.
     *
     * @param config a file of more options; throws if it cannot be read
     */
    public static CommandCall of(ParseResult line, @Nullable Location config) {
        ParseResult leaf = leaf(line);
        if (config == null || command(leaf) == null) {
            return of(line, OptionFile.none(leaf));
        }

        OptionFile file = OptionFile.read(config, leaf);
        List<String> arguments = new ArrayList<>(line.originalArgs());
        arguments.addAll(file.arguments());
        return of(line.commandSpec().commandLine().parseArgs(arguments.toArray(String[]::new)), file);
    }

    /** Name of the command of a line. */
    public static String name(ParseResult line) {
        return leaf(line).commandSpec().qualifiedName();
    }

    private static CommandCall of(ParseResult result, OptionFile file) {
        Command command = command(leaf(result));
        boolean understood = errors(result).allMatch(CommandCall::isOfAValue)
                || !file.problems().isEmpty();
        ExitCode refusal = command != null && understood ? ExitCode.BAD_INPUT : ExitCode.USAGE;
        return new CommandCall(
                name(result), command, result.originalArgs(), file, usageProblems(result, command), refusal);
    }

    /** All that speaks against running it. */
    public List<String> problems() {
        Problems problems = new Problems();
        file.problems().forEach(problems::add);
        usage.forEach(problems::add);
        FileNames.ofProcess().problemOf(arguments).ifPresent(problems::add);
        if (command != null) {
            command.check(problems);
        }

        return problems.all().stream().map(file::located).toList();
    }

    /** The part of the command that was named last. */
    public static ParseResult leaf(ParseResult result) {
        return result.hasSubcommand() ? leaf(result.subcommand()) : result;
    }

    private static @Nullable Command command(ParseResult leaf) {
        return leaf.commandSpec().userObject() instanceof Command found ? found : null;
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
