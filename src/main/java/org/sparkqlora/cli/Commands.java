package org.sparkqlora.cli;

import java.io.ByteArrayOutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sparkqlora.cli.command.CommandCall;
import org.sparkqlora.cli.command.CommandFailedException;
import org.sparkqlora.cli.command.CommandOutcome;
import org.sparkqlora.cli.command.Failure;
import org.sparkqlora.cli.command.LastLine;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.options.Console;
import org.sparkqlora.options.LogStream;
import org.sparkqlora.options.Required;
import picocli.CommandLine;
import picocli.CommandLine.ParseResult;

/**
 * Commands for other code in this process, such as a notebook's: the same as on a command line, but what it prints for programs is returned
 * and a failure is thrown. Uses the session that is there, and neither ends it nor the process. Driver only.
 */
public final class Commands {
    private static final Logger LOG = LoggerFactory.getLogger(Commands.class);

    private Commands() {}

    /**
     * Runs a command whose progress goes to the log.
     *
     * @param arguments as on a command line, the command first
     * @return what it prints on stdout: lines of JSON, the summary last
     * @throws CommandFailedException saying why it failed
     */
    public static String run(List<String> arguments) {
        return run(arguments, LogStream.console(LOG));
    }

    /** Runs a command with its progress on stderr. */
    public static String follow(List<String> arguments) {
        return run(arguments, Console.log(System.err, System.err));
    }

    private static String run(List<String> arguments, Console progress) {
        CommandLine root = RootCommand.commandLine(arguments);
        ParseResult line = root.parseArgs(arguments.toArray(String[]::new));
        try {
            return run(CommandCall.of(line), root.getCommand(), progress);
        } catch (BadInputException | UncheckedIOException e) { // the file of options
            throw failed(root.getCommand(), CommandCall.name(line), e);
        }
    }

    private static String run(CommandCall call, RootCommand program, Console progress) {
        List<String> problems = call.problems();
        if (!problems.isEmpty()) {
            throw leaving(
                    program,
                    call.name(),
                    CommandOutcome.refused(call.refusal(), problems),
                    new CommandFailedException(call.refusal(), CommandCall.report(call.name(), problems), null));
        }

        ByteArrayOutputStream out = new ByteArrayOutputStream();
        LastLine lines = LastLine.of(out);
        try {
            Required.value("command", call.command()).run(progress.printing(lines.print()));
            program.leaveResult(call.name(), CommandOutcome.done(lines.text()));
        } catch (Exception | Error e) {
            throw failed(program, call.name(), e);
        }

        return out.toString(StandardCharsets.UTF_8).strip();
    }

    private static CommandFailedException failed(RootCommand program, String name, Throwable thrown) {
        Failure failure = Failure.of(thrown);
        return leaving(
                program,
                name,
                CommandOutcome.refused(failure.code(), failure.reasons()),
                new CommandFailedException(failure.code(), failure.lines(name), thrown));
    }

    /** The failure, once it stands where {@code --result} says. That it cannot be written there does not hide it. */
    private static CommandFailedException leaving(
            RootCommand program, String name, CommandOutcome ending, CommandFailedException failed) {
        try {
            program.leaveResult(name, ending);
        } catch (RuntimeException | Error second) {
            failed.addSuppressed(second);
        }

        return failed;
    }
}
