package org.sparkqlora.cli;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.ParseResult;

/** Entry point: {@code spark-submit spark-qlora.jar COMMAND ...}. Driver only. */
public final class Main {
    private static final String DATABRICKS = "DATABRICKS_RUNTIME_VERSION";

    private final Console console;

    private Main(Console console) {
        this.console = console;
    }

    public static void main(String[] args) {
        QuietLogging.install();
        ExitCode code = run(Console.ofProcess(), args);
        if (System.getenv(DATABRICKS) != null) {
            throwUnlessOk(code);
            return;
        }

        Sessions.stop();
        if (code != ExitCode.OK) {
            System.exit(code.code());
        }
    }

    /** Runs a command in this process. */
    static ExitCode run(Console console, String... args) {
        return new Main(console).execute(args);
    }

    /** On Databricks the process belongs to the cluster: a failure is an exception, never an exit. */
    private static void throwUnlessOk(ExitCode code) {
        if (code != ExitCode.OK) {
            throw new IllegalStateException(
                    "spark-qlora failed with code %d (%s); the reason is above".formatted(code.code(), code));
        }
    }

    private ExitCode execute(String... args) {
        CommandLine root = SparkQlora.commandLine();
        root.setOut(new PrintWriter(console.out(), true, StandardCharsets.UTF_8));
        ParseResult result = root.parseArgs(args);
        if (CommandLine.executeHelpRequest(result) != null) {
            return ExitCode.OK;
        }

        CommandCall call = CommandCall.of(result);
        Command command = call.command();
        if (command == null) {
            console.err().print(root.getUsageMessage());
            report(call.name(), call.usage());
            return ExitCode.USAGE;
        }

        List<String> problems = call.problems();
        if (!problems.isEmpty()) {
            report(call.name(), problems);
            console.note("'%s --help' lists the options.", call.name());
            return call.usage().isEmpty() ? ExitCode.BAD_INPUT : ExitCode.USAGE;
        }

        try {
            command.run(console);
            return ExitCode.OK;
        } catch (Exception e) {
            return Failure.of(e).report(console, call.name());
        }
    }

    private void report(String name, List<String> problems) {
        CommandCall.report(name, problems).forEach(line -> console.note("%s", line));
    }
}
