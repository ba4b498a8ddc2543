package org.sparkqlora.cli;

import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * Commands for other code in this process, such as a notebook's: the same as on a command line, but what it prints for programs is returned
 * and a failure is thrown. Uses the session that is there, and neither ends it nor the process. Driver only.
 */
public final class Commands {
    private Commands() {}

    /**
     * Runs a command in silence.
     *
     * @param arguments as on a command line, the command first
     * @return what it prints on stdout: lines of JSON, the summary last
     * @throws CommandFailedException saying why it failed
     */
    public static String run(List<String> arguments) {
        return run(arguments, print(OutputStream.nullOutputStream()));
    }

    /** The same, with its progress on stderr. */
    public static String follow(List<String> arguments) {
        return run(arguments, System.err);
    }

    private static String run(List<String> arguments, PrintStream progress) {
        CommandCall call = CommandCall.of(SparkQlora.commandLine().parseArgs(arguments.toArray(String[]::new)));
        List<String> problems = call.problems();
        if (!problems.isEmpty()) {
            ExitCode code = call.usage().isEmpty() ? ExitCode.BAD_INPUT : ExitCode.USAGE;
            throw new CommandFailedException(code, CommandCall.report(call.name(), problems), null);
        }

        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try {
            Required.value("command", call.command()).run(Console.log(print(out), progress));
        } catch (Exception e) {
            Failure failure = Failure.of(e);
            throw new CommandFailedException(failure.code(), failure.lines(call.name()), e);
        }

        return out.toString(StandardCharsets.UTF_8).strip();
    }

    private static PrintStream print(OutputStream stream) {
        return new PrintStream(stream, true, StandardCharsets.UTF_8);
    }
}
