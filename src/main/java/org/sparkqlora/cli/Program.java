package org.sparkqlora.cli;

import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.lang.reflect.Constructor;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.apache.spark.SparkUserAppException;
import org.sparkqlora.command.Command;
import org.sparkqlora.command.CommandCall;
import org.sparkqlora.command.CommandOutcome;
import org.sparkqlora.command.ExitCode;
import org.sparkqlora.command.Failure;
import org.sparkqlora.command.ResultFile;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.options.Console;
import org.sparkqlora.options.OptionList;
import org.sparkqlora.options.QuietLogging;
import org.sparkqlora.options.Sessions;
import org.sparkqlora.spark.cluster.SparkLine;
import picocli.CommandLine;
import picocli.CommandLine.ParseResult;

/** The command line: reads a command, runs it, and ends the process with its code. Driver only. */
public final class Program {
    private static final String DATABRICKS = "DATABRICKS_RUNTIME_VERSION";

    private final Console console;
    private final EndSignal signal;

    private Program(Console console, EndSignal signal) {
        this.console = console;
        this.signal = signal;
    }

    static void main(String[] args) throws Exception {
        QuietLogging.install();
        if (System.getenv(DATABRICKS) != null) {
            throwUnlessOk(run(Console.ofProcess(), args));
            return;
        }

        Locale.setDefault(Locale.Category.FORMAT, Locale.ROOT); // the process is ours: messages have English numbers
        Console console = Console.ofProcess();
        EndSignal signal = Sessions.isInsideYarn() ? new EndSignal() : EndSignal.ofProcess(console);
        ExitCode code = new Program(console, signal).execute(args);

        Sessions.stop();
        if (code == ExitCode.OK) {
            return;
        }

        if (Sessions.isInsideYarn()) {
            throw yarnExit(code);
        }

        System.exit(code.code());
    }

    /**
     * What ends a driver inside YARN with an exit code, which its application master would not report otherwise. The exception's
     * constructor takes the code, and since Spark 4.1 also a cause.
     */
    private static Exception yarnExit(ExitCode code) throws ReflectiveOperationException {
        Constructor<?> constructor = SparkUserAppException.class.getConstructors()[0];
        Object[] values =
                constructor.getParameterCount() == 1 ? new Object[] {code.code()} : new Object[] {code.code(), null};
        return (Exception) constructor.newInstance(values);
    }

    /** Runs a command in this process. */
    public static ExitCode run(Console console, String... args) {
        return new Program(console, new EndSignal()).execute(args);
    }

    /** On Databricks the process belongs to the cluster: a failure is an exception, never an exit. */
    private static void throwUnlessOk(ExitCode code) {
        if (code != ExitCode.OK) {
            throw new IllegalStateException(
                    "spark-qlora failed with code %d (%s); the reason is above".formatted(code.code(), code));
        }
    }

    private ExitCode execute(String... args) {
        CommandLine root = RootCommand.commandLine(List.of(args));
        root.setOut(new PrintWriter(console.out(), true, StandardCharsets.UTF_8));
        ParseResult result = root.parseArgs(args);
        if (CommandLine.executeHelpRequest(result) != null || helpedWithAll(result)) {
            return ExitCode.OK;
        }

        return leave(
                run(result),
                CommandCall.name(result),
                root.<RootCommand>getCommand().result());
    }

    private static boolean helpedWithAll(ParseResult result) {
        ParseResult leaf = CommandCall.leaf(result);
        if (OptionList.isAsked(leaf)) {
            CommandLine command = leaf.commandSpec().commandLine();
            command.usage(command.getOut());
        }

        return OptionList.isAsked(leaf);
    }

    private CommandOutcome run(ParseResult line) {
        try {
            return run(RootCommand.call(line), line.commandSpec().commandLine());
        } catch (BadInputException | UncheckedIOException e) { // the file of options
            return failed(e, CommandCall.name(line));
        }
    }

    private CommandOutcome run(CommandCall call, CommandLine root) {
        Command command = call.command();
        if (command == null) {
            console.err().print(root.getUsageMessage());
            report(call.name(), call.usage());
            return CommandOutcome.refused(ExitCode.USAGE, call.usage());
        }

        List<String> problems = new ArrayList<>(call.problems());
        problems.addAll(root.<RootCommand>getCommand().result().problems());
        if (!problems.isEmpty()) {
            report(call.name(), problems);
            console.note("'%s --help' lists the options.", call.name());
            return CommandOutcome.refused(call.refusal(), problems);
        }

        return run(command, call.name());
    }

    private CommandOutcome run(Command command, String name) {
        try {
            SparkLine.checkJava();
            if (Sessions.isInsideYarn()) {
                Sessions.context(name); // whatever it does: YARN takes a driver without a session for a failure
            }

            String summary = command.run(console);
            if (!summary.isEmpty()) {
                console.result(summary);
            }

            return CommandOutcome.done(summary);
        } catch (Exception | Error e) { // memory or stack that ran out: its scheduler must hear of it, too
            String ended = signal.reason();
            if (ended != null) {
                signal.tell(console, name);
                return CommandOutcome.refused(ExitCode.RESUMABLE, List.of(ended));
            }

            return failed(e, name);
        }
    }

    private CommandOutcome failed(Throwable thrown, String name) {
        Failure failure = Failure.of(thrown);
        failure.report(console, name);
        return CommandOutcome.refused(failure.code(), failure.reasons());
    }

    private ExitCode leave(CommandOutcome ending, String name, ResultFile result) {
        try {
            result.leave(name, ending);
            return ending.code();
        } catch (RuntimeException | Error e) {
            ExitCode code = Failure.of(e).report(console, name);
            return ending.code() == ExitCode.OK ? code : ending.code();
        }
    }

    private void report(String name, List<String> problems) {
        if (problems.size() == 1) {
            console.note("%s: %s", name, problems.get(0));
            return;
        }

        console.note("%s: %d problems", name, problems.size());
        problems.forEach(problem -> console.note("  %s", problem));
    }
}
