package org.sparkqlora.cli;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;

/**
 * Commands for other code in this process, such as a notebook's: the same as on a command line, but what it prints for programs is returned
 * and a failure is thrown. Uses the session that is there, and neither ends it nor the process. Driver only.
 */
public final class Commands {
    private static final Logger LOG = LoggerFactory.getLogger(Commands.class);

    private Commands() {}

    /**
     * Runs a command in silence, but for its log.
     *
     * @param arguments as on a command line, the command first
     * @return what it prints on stdout: lines of JSON, the summary last
     * @throws CommandFailedException saying why it failed
     */
    public static String run(List<String> arguments) {
        return run(arguments, LogLines.of(LOG));
    }

    /** The same, with its progress on stderr. */
    public static String follow(List<String> arguments) {
        return run(arguments, System.err);
    }

    private static String run(List<String> arguments, PrintStream progress) {
        CommandLine root = SparkQlora.commandLine();
        CommandCall call = CommandCall.of(root.parseArgs(arguments.toArray(String[]::new)));
        List<String> problems = call.problems();
        if (!problems.isEmpty()) {
            ExitCode code = call.usage().isEmpty() ? ExitCode.BAD_INPUT : ExitCode.USAGE;
            throw leaving(
                    root.getCommand(),
                    call.name(),
                    Ending.refused(code, problems),
                    new CommandFailedException(code, CommandCall.report(call.name(), problems), null));
        }

        ByteArrayOutputStream out = new ByteArrayOutputStream();
        LastLine lines = LastLine.of(out);
        try {
            Required.value("command", call.command()).run(Console.log(lines.print(), progress));
            root.<SparkQlora>getCommand().leaveResult(call.name(), Ending.done(lines.text()));
        } catch (Exception | Error e) {
            Failure failure = Failure.of(e);
            throw leaving(
                    root.getCommand(),
                    call.name(),
                    Ending.refused(failure.code(), failure.reasons()),
                    new CommandFailedException(failure.code(), failure.lines(call.name()), e));
        }

        return out.toString(StandardCharsets.UTF_8).strip();
    }

    /** The failure, once it stands where {@code --result} says. That it cannot be written there does not hide it. */
    private static CommandFailedException leaving(
            SparkQlora program, String name, Ending ending, CommandFailedException failed) {
        try {
            program.leaveResult(name, ending);
        } catch (RuntimeException | Error second) {
            failed.addSuppressed(second);
        }

        return failed;
    }
}
