package org.sparkqlora.cli;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
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

        ParseResult leaf = leaf(result);
        List<String> usage = usageProblems(result);
        if (leaf.commandSpec().userObject() instanceof Command command) {
            return execute(command, leaf.commandSpec().qualifiedName(), usage);
        }

        console.err().print(root.getUsageMessage());
        report("spark-qlora", usage.isEmpty() ? List.of("Cannot run: expected a command, found none") : usage);
        return ExitCode.USAGE;
    }

    private ExitCode execute(Command command, String name, List<String> usage) {
        Problems problems = new Problems();
        usage.forEach(problems::add);
        command.check(problems);
        if (!problems.all().isEmpty()) {
            report(name, problems.all());
            console.note("'%s --help' lists the options.", name);
            return usage.isEmpty() ? ExitCode.BAD_INPUT : ExitCode.USAGE;
        }

        try {
            command.run(console);
            return ExitCode.OK;
        } catch (Exception e) {
            return Failure.of(e).report(console, name);
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

    private static ParseResult leaf(ParseResult result) {
        return result.hasSubcommand() ? leaf(result.subcommand()) : result;
    }

    private static List<String> usageProblems(ParseResult result) {
        List<String> problems = new ArrayList<>();
        for (ParseResult part = result; part != null; part = part.hasSubcommand() ? part.subcommand() : null) {
            part.errors().forEach(error -> problems.add(String.valueOf(error.getMessage())));
        }

        return problems.stream().distinct().toList();
    }
}
